"""The weighted share of samples that are hits: what accuracy and recall share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.checked_metric import CheckedMetric
from raymon.metrics.class_labels import check_class_rows, class_labels
from raymon.metrics.fixed_point import weight_units
from raymon.metrics.invalid import invalid_counts


class HitRate(CheckedMetric):
    """Base of metrics that are the weighted share of samples that are hits.

    States, int64, in units of 2^-WEIGHT_BITS: the weight of the hits, under their name; `weight`.

    Args:
        hits: the name of the hits; it says everything that decides what is one.
        kwargs: what every torchmetrics metric takes.
    """

    higher_is_better = True
    is_differentiable = False
    invalid_label = "labels that are no class"
    weight: Tensor

    def __init__(self, hits: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hits = hits
        for name in (hits, "weight"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def add(self, hit: Tensor, units: Tensor) -> None:
        """Add samples.

        Args:
            hit: bool `[B]`.
            units: int64 `[B]`, sample weights, in units of 2^-WEIGHT_BITS.
        """
        getattr(self, self.hits).add_((units * hit).sum())
        self.weight += units.sum()

    def add_classes(
        self, preds: Tensor, target: Tensor, weights: Tensor | None, top_k: int
    ) -> None:
        """Add samples that are hits if the label is among the `top_k` classes.

        Args:
            preds: float `[B, C]`, scores.
            target: `[B]`, index of the class; what is no class is no hit.
            weights: float `[B]`, sample weights; None weighs every sample 1.
            top_k: how many classes.

        Raises:
            UserError: `preds` is not `[B, C]`, or another argument not `[B]`.
        """
        check_class_rows(type(self).__name__, preds, target, weights)
        index, wrong = class_labels(target, preds.shape[1])
        self.invalid += invalid_counts(preds, wrong, weights, probabilities=False)
        hit = in_top_k(preds.detach(), index, top_k) & (wrong == 0)
        self.add(hit, weight_units(weights, preds))

    def _compute(self) -> Tensor:
        # In [0, 1]; NaN without samples.
        share: Tensor = getattr(self, self.hits).double() / self.weight
        return share


def in_top_k(preds: Tensor, index: Tensor, top_k: int) -> Tensor:
    """Whether a class is among those with the highest scores.

    Among equal scores the class of the lower index is the higher one, so that the answer is the
    same on every device.

    Args:
        preds: float `[B, C]`, scores.
        index: int64 `[B]`, index of the class.
        top_k: how many classes.

    Returns:
        bool `[B]`.
    """
    label = index.unsqueeze(1)
    score = preds.gather(1, label)
    classes = torch.arange(preds.shape[1], device=preds.device)
    ahead = (preds > score) | ((preds == score) & (classes < label))
    return ahead.sum(1) < top_k


def check_top_k(metric: str, top_k: int) -> int:
    """`top_k`, or UserError if it is not a positive number."""
    if top_k < 1:
        raise UserError(f"{metric}: top_k is {top_k}; it must be at least 1")
    return top_k
