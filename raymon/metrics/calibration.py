"""Predicted over observed positives."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.checked_metric import CheckedMetric, check_rows
from raymon.metrics.exact_sum import SUM_BINS, add_weighted, exact_total
from raymon.metrics.fixed_point import WEIGHT_BITS, weight_units
from raymon.metrics.invalid import invalid_counts, not_binary


class Calibration(CheckedMetric):
    """Positives that were predicted over those that were observed; 1 is right, above 1 too much.

    He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook" (ADKDD 2014), section
    3. NaN without a positive.

    States, int64: `predicted`, the weighted sum of the scores, `[SUM_BINS]`, as in `exact_sum`;
    `positives`, the weight of the positives, in units of 2^-WEIGHT_BITS.

    Args:
        kwargs: what every torchmetrics metric takes.
    """

    higher_is_better = None
    is_differentiable = False
    predicted: Tensor
    positives: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, shape in (("predicted", (SUM_BINS,)), ("positives", ())):
            self.add_state(name, torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B]`, probabilities; those outside [0, 1] count as 0 or 1, and a NaN
                makes the value NaN.
            target: `[B]`, 0 or 1; another label counts as positive above 0.5.
            weights: float `[B]`, sample weights; None weighs every sample 1. One that is not in
                [0, 2^20] makes the value NaN.

        Raises:
            UserError: the arguments are not `[B]`.
        """
        check_rows("Calibration", preds=preds, target=target, weights=weights)
        self.invalid += invalid_counts(preds, not_binary(target), weights)
        units = weight_units(weights, preds)
        add_weighted(self.predicted, preds.detach().double().clamp(0, 1), units)
        self.positives += (units * (target > 0.5)).sum()

    def _compute(self) -> Tensor:
        observed = self.positives.double() * 2.0**-WEIGHT_BITS
        ratio = exact_total(self.predicted) / observed
        return ratio.masked_fill(self.positives == 0, float("nan"))
