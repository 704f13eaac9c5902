"""Cross entropy relative to that of the base rate."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.metrics.cross_entropy import CrossEntropy


class NormalizedEntropy(CrossEntropy):
    """Mean cross entropy over the entropy of the base rate; below 1 is better than a constant.

    He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook" (ADKDD 2014), eq. 1.
    NaN where a class is missing.

    Args:
        eta: scores are clamped to [eta, 1 - eta].
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: `eta` outside (0, 0.5).
    """

    def _compute(self) -> Tensor:
        rate = self.positives.double() / self.weight.double()
        entropy = -(torch.xlogy(rate, rate) + torch.xlogy(1 - rate, 1 - rate))
        return (super()._compute() / entropy).masked_fill(entropy == 0, float("nan"))
