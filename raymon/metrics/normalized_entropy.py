"""The cross entropy relative to that of the base rate."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from raymon.metrics.base.cross_entropy import CrossEntropy, check_eta
from raymon.metrics.numerics.exact_sum import exact_total

_LEAST = math.exp(-100)
"""The least probability of a label: a row has a cross entropy of at most 100, as in torch."""


class NormalizedEntropy(CrossEntropy):
    """Mean cross entropy over the entropy of the base rate; below 1 is better than a constant.

    He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook" (ADKDD 2014), eq. 1.
    NaN without rows.

    Args:
        eta: Margin to which the base rate is clamped, [eta, 1 - eta], so that the value of one
            class alone stays finite: it is large, unless the scores are those of the constant.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: `eta` is outside (0, 0.5).
    """

    def __init__(self, eta: float = 1e-12, **kwargs: Any) -> None:
        super().__init__(_LEAST, **kwargs)
        self.eta = check_eta("NormalizedEntropy", eta)

    def _compute(self) -> Tensor:
        observed = exact_total(self.positives) / exact_total(self.weight)
        rate = observed.clamp(self.eta, 1 - self.eta)
        entropy = -(observed * rate.log() + (1 - observed) * (1 - rate).log())
        return super()._compute() / entropy
