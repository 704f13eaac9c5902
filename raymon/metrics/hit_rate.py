"""The weighted share of samples that are hits: what accuracy and recall share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.fixed_point import weight_units


class HitRate(Metric):
    """Base of metrics that are the weighted share of samples that are hits.

    States, int64: `hits` and `weight`, in units of 2^-WEIGHT_BITS; `nan_count`, the samples with
    a score that is NaN.

    Args:
        kwargs: what every torchmetrics metric takes.
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False
    hits: Tensor
    weight: Tensor
    nan_count: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("hits", "weight", "nan_count"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def add(self, hit: Tensor, nan: Tensor, weights: Tensor | None) -> None:
        """Add samples.

        Args:
            hit: bool `[B]`.
            nan: bool `[B]`, whether the sample has a score that is NaN.
            weights: float `[B]`, sample weights; None weighs every sample 1.
        """
        units = weight_units(weights, hit)
        self.hits += (units * hit).sum()
        self.weight += units.sum()
        self.nan_count += nan.sum()

    def compute(self) -> Tensor:
        """The share: float64 scalar in [0, 1]; NaN without samples or after a score of NaN."""
        share = self.hits.double() / self.weight
        return share.masked_fill(self.nan_count > 0, float("nan"))


def in_top_k(preds: Tensor, target: Tensor, top_k: int) -> Tensor:
    """Whether the label is among the classes with the highest scores.

    Among equal scores the class of the lower index is the higher one, so that the answer is the
    same on every device.

    Args:
        preds: float `[B, C]`, scores.
        target: `[B]`, index of the class.
        top_k: how many classes.

    Returns:
        bool `[B]`.
    """
    label = target.long().unsqueeze(1)
    score = preds.gather(1, label)
    classes = torch.arange(preds.shape[1], device=preds.device)
    ahead = (preds > score) | ((preds == score) & (classes < label))
    return ahead.sum(1) < top_k


def check_top_k(metric: str, top_k: int) -> int:
    """`top_k`, or UserError if it is not a positive number."""
    if top_k < 1:
        raise UserError(f"{metric}: top_k is {top_k}; it must be at least 1")
    return top_k
