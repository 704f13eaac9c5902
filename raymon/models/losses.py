"""Losses: one value a row, and their weighted mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from raymon.config import LIKE, Task, is_retrieval, named_losses, pipeline_tasks
from raymon.data import LabelKind
from raymon.errors import ConfigError
from raymon.models.focal_loss import binary_focal_loss
from raymon.models.jrc_loss import jrc_loss
from raymon.models.layers.autocast import without_autocast
from raymon.protos.loss_pb2 import LossConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

KINDS: Mapping[str, LabelKind] = {
    "binary_cross_entropy": LabelKind.BINARY,
    "softmax_cross_entropy": LabelKind.CLASS,
    "l2_loss": LabelKind.REAL,
}
"""The kind of label that each loss needs, and of predictions that it takes; others are `LIKE` one
of these."""


def task_kinds(tasks: Sequence[Task]) -> dict[str, LabelKind]:
    """Returns the kind of predictions of each task, as its losses need it.

    A task without a loss (of a model with a custom loss) may have any number as its label.

    Raises:
        ConfigError: Two losses of a task need different kinds.
    """
    kinds: dict[str, LabelKind] = {}
    for loss in named_losses(tasks):
        kind = KINDS[LIKE[loss.kind]]
        other = kinds.setdefault(loss.task.name, kind)
        if {kind, other} == {LabelKind.BINARY, LabelKind.CLASS} and loss.task.num_class == 2:
            kinds[loss.task.name] = LabelKind.CLASS
        elif kind is not other:
            raise ConfigError(
                f"{loss.place}: {loss.kind} wants label {loss.label} to be {kind.requirement()}, "
                f"another loss of it {other.requirement()}; give each a label_name"
            )
    return {task.name: kinds.get(task.name, LabelKind.REAL) for task in tasks}


def label_kinds(config: PipelineConfig) -> dict[str, LabelKind]:
    """Returns the kind of values of each label that the model of a pipeline takes.

    Of the kinds that its tasks need it is the one that allows the fewest values.

    A label of a model of retrieval may be any number, as its values have no effect.

    Raises:
        ConfigError: Two losses of a task need different kinds.
    """
    of = pipeline_tasks(config)
    kinds = task_kinds(of)
    if is_retrieval(config.model_config):
        kinds = dict.fromkeys(kinds, LabelKind.REAL)
    found: dict[str, LabelKind] = {}
    for kind in (LabelKind.BINARY, LabelKind.CLASS, LabelKind.REAL):
        for task in of:
            if kinds[task.name] is kind:
                found.setdefault(task.label, kind)
    for task in of:
        if task.indicator is not None:
            found.setdefault(task.indicator, LabelKind.REAL)
    return {label: found[label] for label in config.data_config.label_fields if label in found}


def label_classes(config: PipelineConfig) -> dict[str, int]:
    """Returns the number of classes of each label that is a class; it may be missing."""
    of = pipeline_tasks(config)
    kinds, classes = task_kinds(of), dict[str, int]()
    for task in of:
        if kinds[task.name] is LabelKind.CLASS and task.num_class > 1:
            classes[task.label] = min(task.num_class, classes.get(task.label, task.num_class))
    return classes


def session_keys(config: PipelineConfig) -> list[str]:
    """Returns the columns of the sessions that the losses of a pipeline need, each once."""
    of_sessions = (
        x.config.jrc_loss for x in named_losses(pipeline_tasks(config)) if x.kind == "jrc_loss"
    )
    return list(dict.fromkeys(loss.session_name for loss in of_sessions))


def row_losses(
    config: LossConfig, output: Tensor, label: Tensor, sessions: Tensor | None = None
) -> Tensor:
    """Returns the loss of every row, in float32 whatever the format of the output.

    Args:
        config: Config of the loss.
        output: Logits `[B]` (binary), logits `[B, C]` (classes) or values `[B]` (l2). A binary loss
            takes those of two classes too, whose difference is its logit.
        label: Labels, `[B]`.
        sessions: Session of each row, integers `[B]`, for `jrc_loss`.

    Returns:
        The losses, float32 `[B]`, times the weight of the loss.
    """
    with without_autocast(output.device):
        losses = _row_losses(config, output.float(), label, sessions)
        return losses if config.weight == 1 else losses * config.weight


def _row_losses(
    config: LossConfig, output: Tensor, label: Tensor, sessions: Tensor | None
) -> Tensor:
    kind = config.WhichOneof("loss")
    if kind == "softmax_cross_entropy":
        smoothing = config.softmax_cross_entropy.label_smoothing
        return softmax_cross_entropy(output, label, smoothing)
    if kind == "jrc_loss":
        if sessions is None:
            raise ValueError("jrc_loss takes the session of each row")
        return jrc_loss(output, label, sessions, config.jrc_loss.alpha)
    if kind == "l2_loss":
        return F.mse_loss(output, label, reduction="none")
    logits = output.select(1, 1) - output.select(1, 0) if output.dim() == 2 else output
    if kind == "binary_focal_loss":
        focal = config.binary_focal_loss
        return binary_focal_loss(logits, label, focal.gamma, focal.alpha)
    binary = config.binary_cross_entropy
    return binary_cross_entropy(logits, label, binary.label_smoothing, binary.pos_weight)


def binary_cross_entropy(
    logits: Tensor, label: Tensor, label_smoothing: float = 0.0, pos_weight: float = 1.0
) -> Tensor:
    """Returns -w y log p - (1 - y) log(1 - p) with p = sigmoid(logit).

    Args:
        logits: Logits, `[B]`.
        label: Labels, 0 or 1, `[B]`.
        label_smoothing: Smoothing s; the label becomes (1 - s) y + s / 2 (Szegedy et al. 2016,
            section 7, for two classes).
        pos_weight: Factor w of a positive.

    Returns:
        The losses, `[B]`.
    """
    if label_smoothing:
        label = label * (1 - label_smoothing) + label_smoothing / 2
    if pos_weight == 1:
        return F.binary_cross_entropy_with_logits(logits, label, reduction="none")
    # The formula, in terms that do not overflow: -log p = softplus(-logit).
    return pos_weight * label * F.softplus(-logits) + (1 - label) * F.softplus(logits)


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
