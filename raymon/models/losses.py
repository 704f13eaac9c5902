"""Losses: one value a row, and their weighted mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from raymon.config import is_retrieval, named_losses, trained_labels
from raymon.data import LabelKind
from raymon.errors import ConfigError
from raymon.models.layers.autocast import without_autocast
from raymon.protos.loss_pb2 import LossConfig
from raymon.protos.model_pb2 import ModelConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

LABEL_KINDS: Mapping[str, LabelKind] = {
    "binary_cross_entropy": LabelKind.BINARY,
    "softmax_cross_entropy": LabelKind.CLASS,
    "l2_loss": LabelKind.REAL,
}
"""The kind of label that each loss needs."""


def label_kinds(config: PipelineConfig) -> dict[str, LabelKind]:
    """Returns the kind of values of each label that the model of a pipeline learns.

    A label of a model of retrieval may be any number, as its values have no effect.

    Raises:
        ConfigError: Two losses need different kinds of one label.
    """
    kinds = kinds_by_loss(config.model_config, trained_labels(config))
    if is_retrieval(config.model_config):
        return dict.fromkeys(kinds, LabelKind.REAL)
    return kinds


def kinds_by_loss(config: ModelConfig, labels: Sequence[str]) -> dict[str, LabelKind]:
    """Returns the kind of values of each label, as its losses need it.

    A label without a loss (of a model with a custom loss) may be any number.

    Raises:
        ConfigError: Two losses need different kinds of one label.
    """
    kinds: dict[str, LabelKind] = {}
    for loss in named_losses(config, labels):
        kind = LABEL_KINDS[loss.kind]
        if kinds.setdefault(loss.label, kind) is not kind:
            raise ConfigError(
                f"model_config.losses[{loss.position}]: {loss.kind} wants label {loss.label} to be "
                f"{kind.requirement()}, another loss of it {kinds[loss.label].requirement()}; "
                "give each a label_name"
            )
    return {label: kinds.get(label, LabelKind.REAL) for label in labels}


def row_losses(config: LossConfig, output: Tensor, label: Tensor) -> Tensor:
    """Returns the loss of every row, in float32 whatever the format of the output.

    Args:
        config: Config of the loss.
        output: Logits `[B]` (binary), logits `[B, C]` (softmax) or values `[B]` (l2).
        label: Labels, `[B]`.

    Returns:
        The losses, float32 `[B]`.
    """
    with without_autocast(output.device):
        output = output.float()
        kind = config.WhichOneof("loss")
        if kind == "binary_cross_entropy":
            smoothing = config.binary_cross_entropy.label_smoothing
            return binary_cross_entropy(output, label, smoothing)
        if kind == "softmax_cross_entropy":
            smoothing = config.softmax_cross_entropy.label_smoothing
            return softmax_cross_entropy(output, label, smoothing)
        return F.mse_loss(output, label, reduction="none")


def binary_cross_entropy(logits: Tensor, label: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Returns -y log p - (1 - y) log(1 - p) with p = sigmoid(logit).

    Args:
        logits: Logits, `[B]`.
        label: Labels, 0 or 1, `[B]`.
        label_smoothing: Smoothing s; the label becomes (1 - s) y + s / 2 (Szegedy et al. 2016,
            section 7, for two classes).

    Returns:
        The losses, `[B]`.
    """
    if label_smoothing:
        label = label * (1 - label_smoothing) + label_smoothing / 2
    return F.binary_cross_entropy_with_logits(logits, label, reduction="none")


def softmax_cross_entropy(logits: Tensor, label: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Returns -log p of the label's class with p = softmax(logits).

    Args:
        logits: Logits, `[B, C]`.
        label: Index of the class, from 0 to C - 1, `[B]`.
        label_smoothing: Smoothing s; the target becomes (1 - s) one-hot + s / C (Szegedy et al.
            2016).

    Returns:
        The losses, `[B]`.
    """
    return F.cross_entropy(logits, label.long(), reduction="none", label_smoothing=label_smoothing)


def weighted_mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """Returns sum(w v) / sum(w) over the rows; 0 without rows, or if all weigh nothing.

    Args:
        values: Values, `[B]`.
        weights: Weights, `[B]`; None if every row weighs 1.
    """
    if weights is None:
        return values.sum() / max(values.shape[0], 1)
    total = weights.sum()
    return (weights * values).sum() / torch.where(total == 0, torch.ones_like(total), total)
