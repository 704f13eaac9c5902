"""The ratio of predicted to observed positives."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.base.checked_metric import CheckedMetric, check_rows
from raymon.metrics.base.invalid_counts import invalid_counts, not_binary
from raymon.metrics.numerics.exact_sum import SUM_BINS, add_ones, add_weighted, exact_total
from raymon.metrics.numerics.fixed_point import valid_weights


class Calibration(CheckedMetric):
    """Ratio of predicted to observed positives: 1 is right, above 1 too many are predicted.

    He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook" (ADKDD 2014), section
    3. NaN without a positive.

    States, int64 `[SUM_BINS]`, sums as in `exact_sum`: `predicted`, of the weighted scores, and
    `positives`, of the weights of the positives.

    Args:
        kwargs: Arguments of every torchmetrics metric.
    """

    higher_is_better = None
    is_differentiable = False
    missing = ("there is no positive",)
    predicted: Tensor
    positives: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("predicted", "positives"):
            empty = torch.zeros(SUM_BINS, dtype=torch.int64)
            self.add_state(name, empty, dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Adds rows.

        Args:
            preds: Probabilities, float `[B]`; those outside [0, 1] count as 0 or 1, and a NaN makes
                the value NaN.
            target: Labels `[B]`, 0 or 1; another label counts as positive above 0.5.
            weights: Sample weights, float `[B]`; None if all weigh 1. One that is neither 0 nor in
                [1e-30, 1e30] makes the value NaN.

        Raises:
            UserError: The arguments are not `[B]`.
        """
        check_rows("Calibration", preds=preds, target=target, weights=weights)
        self.invalid += invalid_counts(preds, not_binary(target), weights)
        valid = None if weights is None else valid_weights(weights)
        add_weighted(self.predicted, preds.detach().double().clamp(0, 1), valid)
        if valid is None:
            add_ones(self.positives, torch.count_nonzero(target > 0.5))
        else:
            add_weighted(self.positives, (target > 0.5).double(), valid)

    def _compute(self) -> Tensor:
        ratio = exact_total(self.predicted) / exact_total(self.positives)
        return ratio.masked_fill(self._missing().any(), float("nan"))

    def _missing(self) -> Tensor:
        return (self.positives == 0).all().unsqueeze(0)
