"""The weighted mean of a figure of each row: the base of errors, losses and hits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.base.checked_metric import CheckedMetric
from raymon.metrics.numerics.exact_sum import SUM_BINS, add_ones, add_weighted, exact_total
from raymon.metrics.numerics.fixed_point import valid_weights


class WeightedMean(CheckedMetric):
    """Base of metrics that are the weighted mean of a figure of each row.

    States, int64 `[SUM_BINS]`, sums as in `exact_sum`: the weighted figures, under their name, and
    `weight`. Each figure and each weight is rounded to 24 bits, which moves the mean by less than
    6e-8 of itself.

    Args:
        figure: Name of the figure. Two metrics may use the same name only if they add the same for
            the same rows.
        kwargs: Arguments of every torchmetrics metric.
    """

    is_differentiable = False
    weight: Tensor

    def __init__(self, figure: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.figure = figure
        for name in (figure, "weight"):
            empty = torch.zeros(SUM_BINS, dtype=torch.int64)
            self.add_state(name, empty, dist_reduce_fx="sum")

    def add(self, figures: Tensor, weights: Tensor | None, counts: Tensor | None = None) -> None:
        """Adds rows.

        Args:
            figures: Figures, not negative, float64 `[B]`, or bool.
            weights: Sample weights, float `[B]`; None if all weigh 1.
            counts: How many times each row counts, float64 `[B]`; None if each counts once.
        """
        valid = None if weights is None else valid_weights(weights)
        _add(getattr(self, self.figure), figures, valid)
        if counts is not None:
            _add(self.weight, counts, valid)
        elif valid is not None:
            add_weighted(self.weight, valid)
        else:
            add_ones(self.weight, len(figures))

    def _compute(self) -> Tensor:
        # It is NaN without rows.
        return exact_total(getattr(self, self.figure)) / exact_total(self.weight)

    def _missing(self) -> Tensor:
        return (self.weight == 0).all().unsqueeze(0)


def _add(bins: Tensor, figures: Tensor, weights: Tensor | None) -> None:
    if figures.dtype == torch.bool and weights is None:
        add_ones(bins, torch.count_nonzero(figures))
    else:
        add_weighted(bins, figures.double(), weights)
