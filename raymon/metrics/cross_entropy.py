"""The binary cross entropy of scores, added up."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.checked_metric import check_rows
from raymon.metrics.fixed_point import weight_units
from raymon.metrics.invalid import invalid_counts, not_binary
from raymon.metrics.weighted_mean import WeightedMean


class CrossEntropy(WeightedMean):
    """Base of metrics of binary labels that are computed from the mean cross entropy.

    States, int64: `cross_entropy_{eta}` and `weight`, as in WeightedMean; `positives`, the weight
    of the positives, in units of 2^-WEIGHT_BITS.

    Args:
        eta: scores are clamped to [eta, 1 - eta].
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: `eta` outside (0, 0.5).
    """

    higher_is_better = False
    positives: Tensor

    def __init__(self, eta: float = 1e-12, **kwargs: Any) -> None:
        super().__init__(f"cross_entropy_{eta}", **kwargs)
        if not 0 < eta < 0.5:
            raise UserError(
                f"{type(self).__name__}: eta is {eta}; it must be above 0 and below 0.5"
            )
        self.eta = eta
        self.add_state("positives", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

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
        check_rows(type(self).__name__, preds=preds, target=target, weights=weights)
        self.invalid += invalid_counts(preds, not_binary(target), weights)
        units = weight_units(weights, preds)
        positive = target > 0.5
        score = preds.detach().double().clamp(0, 1)
        # The probability of the label. At its ends `lerp` gives what it was given, five times as
        # fast as `where`.
        given = torch.lerp(1 - score, score, positive.double())
        self.add(given.clamp_(self.eta, 1 - self.eta).log_().neg_(), units)
        self.positives += (units * positive).sum()
