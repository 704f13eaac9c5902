"""The weighted mean of a figure of each sample: what the mean errors share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.metrics.fixed_point import WEIGHT_BITS, weight_units


class WeightedMean(Metric):
    """Base of metrics that are the weighted mean of a figure of each sample.

    States: `total`, float64, the weighted sum of the figures; `weight`, int64, in units of
    2^-WEIGHT_BITS. A NaN among the figures makes the sum NaN, and so the value.

    Args:
        kwargs: what every torchmetrics metric takes.
    """

    full_state_update = False
    is_differentiable = True
    total: Tensor
    weight: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("weight", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def add(self, figures: Tensor, weights: Tensor | None) -> None:
        """Add samples.

        Args:
            figures: float64 `[B]`.
            weights: float `[B]`, sample weights; None weighs every sample 1.
        """
        if weights is None:
            self.total += figures.sum()
            self.weight += len(figures) << WEIGHT_BITS
        else:
            units = weight_units(weights, figures)
            self.total += (figures * units).sum() / (1 << WEIGHT_BITS)
            self.weight += units.sum()

    def compute(self) -> Tensor:
        """The mean: float64 scalar; NaN without samples."""
        return self.total / (self.weight.double() / (1 << WEIGHT_BITS))
