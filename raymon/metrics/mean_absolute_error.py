"""The mean absolute error."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from raymon.metrics.base.mean_error import MeanError


class MeanAbsoluteError(MeanError):
    """Mean over the rows of the absolute difference of prediction and label.

    Args:
        kwargs: Arguments of every torchmetrics metric.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("absolute_error", **kwargs)

    def _figures(self, errors: Tensor) -> Tensor:
        return errors.abs()
