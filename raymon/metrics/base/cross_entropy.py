"""The binary cross entropy of scores, added up."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import check_rows
from raymon.metrics.base.invalid_counts import invalid_counts, not_binary
from raymon.metrics.base.weighted_mean import WeightedMean
from raymon.metrics.numerics.exact_sum import SUM_BINS, add_ones, add_weighted
from raymon.metrics.numerics.fixed_point import valid_weights


class CrossEntropy(WeightedMean):
    """Base of metrics of binary labels that are computed from the mean cross entropy.

    States, int64 `[SUM_BINS]`: `cross_entropy_{least}` and `weight`, as in WeightedMean;
    `positives`, the weight of the positives.

    Args:
        least: Least probability of a label; lower ones count as this.
        kwargs: Arguments of every torchmetrics metric.
    """

    higher_is_better = False
    positives: Tensor

    def __init__(self, least: float, **kwargs: Any) -> None:
        super().__init__(f"cross_entropy_{least}", **kwargs)
        self.least = least
        empty = torch.zeros(SUM_BINS, dtype=torch.int64)
        self.add_state("positives", empty, dist_reduce_fx="sum")

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
        check_rows(type(self).__name__, preds=preds, target=target, weights=weights)
        self.invalid += invalid_counts(preds, not_binary(target), weights)
        positive = target > 0.5
        score = preds.detach().double().clamp(0, 1)
        # The probability of the label. At its ends `lerp` returns its arguments exactly, five
        # times as fast as `where`.
        given = torch.lerp(1 - score, score, positive.double())
        self.add(given.clamp_(self.least, 1 - self.least).log_().neg_(), weights)
        self._add_positives(positive, weights)

    def _add_positives(self, positive: Tensor, weights: Tensor | None) -> None:
        if weights is None:
            add_ones(self.positives, torch.count_nonzero(positive))
        else:
            add_weighted(self.positives, positive.double(), valid_weights(weights))


def check_eta(metric: str, eta: float) -> float:
    """Returns `eta`, if it is above 0 and below 0.5.

    Raises:
        UserError: `eta` is outside (0, 0.5).
    """
    if not 0 < eta < 0.5:
        raise UserError(f"{metric}: eta is {eta}; it must be above 0 and below 0.5")
    return eta
