"""Cross entropy relative to that of the base rate."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.fixed_point import WEIGHT_BITS, weight_units

ENTROPY_BITS = 28
"""Cross entropy is summed in units of 2^-28 nats: room for 3e10 nats in all."""


class NormalizedEntropy(Metric):
    """Mean cross entropy over the entropy of the base rate; below 1 is better than a constant.

    He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook" (ADKDD 2014), eq. 1.

    States, int64: `cross_entropy`, in units of 2^-ENTROPY_BITS, each sample rounded; `positives`
    and `weight`, in units of 2^-WEIGHT_BITS; `nan_count`, the scores that are NaN.

    Args:
        eta: scores are clamped to [eta, 1 - eta].
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: `eta` outside (0, 0.5).
    """

    full_state_update = False
    higher_is_better = False
    is_differentiable = False
    cross_entropy: Tensor
    positives: Tensor
    weight: Tensor
    nan_count: Tensor

    def __init__(self, eta: float = 1e-12, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 < eta < 0.5:
            raise UserError(f"NormalizedEntropy: eta is {eta}; it must be above 0 and below 0.5")
        self.eta = eta
        for name in ("cross_entropy", "positives", "weight", "nan_count"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B]`, probabilities; a NaN makes the value NaN.
            target: `[B]`, positive above 0.5.
            weights: float `[B]`, sample weights; None weighs every sample 1.
        """
        units = weight_units(weights, preds)
        positive = target > 0.5
        score = preds.detach().double().clamp(self.eta, 1 - self.eta)
        loss = -torch.where(positive, score, 1 - score).log()
        # A NaN has no integer; it is counted instead.
        scaled = loss.nan_to_num(nan=0.0) * units * 2.0 ** (ENTROPY_BITS - WEIGHT_BITS)
        self.cross_entropy += scaled.round().to(torch.int64).sum()
        self.positives += (units * positive).sum()
        self.weight += units.sum()
        self.nan_count += preds.isnan().sum()

    def compute(self) -> Tensor:
        """The ratio: float64 scalar; NaN where a class is missing or after a score of NaN."""
        weight = self.weight.double()
        mean = self.cross_entropy.double() * 2.0 ** (WEIGHT_BITS - ENTROPY_BITS) / weight
        rate = self.positives.double() / weight
        entropy = -(torch.xlogy(rate, rate) + torch.xlogy(1 - rate, 1 - rate))
        undefined = (entropy == 0) | (self.nan_count > 0)
        return (mean / entropy).masked_fill(undefined, float("nan"))
