"""Area under the ROC curve, of samples that fade with time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.auc import AUC
from raymon.metrics.auc_area import area, area_error_bound
from raymon.metrics.decay_law import decay_histogram


class DecayAUC(AUC):
    """Area under the ROC curve whose samples lose weight at every fold.

    `update` adds to the buffer (`histogram`, as in AUC); `decay` folds the buffer into `decayed`,
    float64 `[2, bins]`; `compute` is the area of `decayed` alone.

    Args:
        thresholds: as for AUC.
        kwargs: what every torchmetrics metric takes.
    """

    decayed: Tensor

    def __init__(self, thresholds: int | None = None, **kwargs: Any) -> None:
        super().__init__(thresholds, **kwargs)
        empty = torch.zeros(self.histogram.shape, dtype=torch.float64)
        self.add_state("decayed", empty, dist_reduce_fx="sum")

    def decay(self, rate: float) -> None:
        """Fold the buffer in: `decayed = rate * decayed + (1 - rate) * buffer`; empty the buffer.

        The first time `decayed` is the buffer.

        Args:
            rate: weight of the past, in [0, 1].
        """
        self.decayed = decay_histogram(self.decayed, self.histogram, rate)
        self.histogram = torch.zeros_like(self.histogram)
        self._computed = None

    def compute(self) -> Tensor:
        """The area of what is folded in: float64 scalar; 0.0 before the first fold."""
        return area(self.decayed, by_thresholds=self.thresholds is not None)

    def error_bound(self) -> Tensor:
        """How far the value can be from that of the exact scores: float64 scalar."""
        return area_error_bound(self.decayed)
