"""Mean cross entropy."""

from __future__ import annotations

from raymon.metrics.cross_entropy import CrossEntropy


class LogLoss(CrossEntropy):
    """Mean binary cross entropy, in nats; NaN without samples.

    Args:
        eta: scores are clamped to [eta, 1 - eta].
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: `eta` outside (0, 0.5).
    """
