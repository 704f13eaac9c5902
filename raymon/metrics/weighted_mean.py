"""The weighted mean of a figure of each sample: what errors and losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.checked_metric import CheckedMetric
from raymon.metrics.exact_sum import SUM_BINS, add_weighted, exact_total
from raymon.metrics.fixed_point import WEIGHT_BITS


class WeightedMean(CheckedMetric):
    """Base of metrics that are the weighted mean of a figure of each sample.

    States, int64: the weighted sum of the figures, `[SUM_BINS]`, as in `exact_sum`, under their
    name; `weight`, in units of 2^-WEIGHT_BITS. A figure is rounded to 24 bits, which moves the
    mean by less than 6e-8 of itself.

    Args:
        figure: the name of the figure. Two metrics may only give the same name if they add the
            same for the same samples.
        kwargs: what every torchmetrics metric takes.
    """

    is_differentiable = False
    weight: Tensor

    def __init__(self, figure: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.figure = figure
        for name, shape in ((figure, (SUM_BINS,)), ("weight", ())):
            self.add_state(name, torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")

    def add(self, figures: Tensor, units: Tensor) -> None:
        """Add samples.

        Args:
            figures: float64 `[B]`, not negative.
            units: int64 `[B]`, sample weights, in units of 2^-WEIGHT_BITS.
        """
        add_weighted(getattr(self, self.figure), figures, units)
        self.weight += units.sum()

    def _compute(self) -> Tensor:
        # NaN without samples.
        weight = self.weight.double() * 2.0**-WEIGHT_BITS
        return exact_total(getattr(self, self.figure)) / weight
