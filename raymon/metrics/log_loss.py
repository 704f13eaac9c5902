"""The mean cross entropy."""

from __future__ import annotations

from typing import Any

from raymon.metrics.base.cross_entropy import CrossEntropy, check_eta


class LogLoss(CrossEntropy):
    """Mean binary cross entropy, in nats; NaN without rows.

    Args:
        eta: Margin to which scores are clamped: [eta, 1 - eta].
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: `eta` is outside (0, 0.5).
    """

    def __init__(self, eta: float = 1e-12, **kwargs: Any) -> None:
        super().__init__(check_eta("LogLoss", eta), **kwargs)
        self.eta = eta
