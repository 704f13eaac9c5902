"""The area under the ROC curve, of samples whose weight decays with time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.auc import AUC
from raymon.metrics.base.checked_metric import WEIGHTS
from raymon.metrics.base.weight_tables import table_of, zero_placeholder_like
from raymon.metrics.decay.decay_law import decay_histogram


class DecayAUC(AUC):
    """Area under the ROC curve whose samples lose weight at every fold.

    `update` adds to the buffer (`histogram`, as in AUC); `decay` folds the buffer into `decayed`,
    float64 `[2, bins]`; `compute` returns the area of `decayed` alone, and 0.0 before the first
    fold.

    Args:
        thresholds: Number of thresholds, as for AUC; None for the accurate value.
        kwargs: Arguments of every torchmetrics metric.
    """

    has_interval = False
    """Decayed counts are no rows that were drawn."""

    decayed: Tensor
    folds: Tensor

    def __init__(self, thresholds: int | None = None, **kwargs: Any) -> None:
        super().__init__(thresholds, exact_rows=0, **kwargs)
        empty = torch.zeros(self.histogram.shape, dtype=torch.float64)
        self.add_state("decayed", empty, dist_reduce_fx="sum")
        self.add_state("folds", torch.zeros((), dtype=torch.int64), dist_reduce_fx="max")

    def decay(self, rate: float) -> None:
        """Folds in the buffer, and empties it: `decayed = rate * decayed + (1 - rate) * buffer`.

        At the first fold, `decayed` becomes the buffer.

        Args:
            rate: Weight of the past, in [0, 1].
        """
        new = mark_invalid(table_of(self, "histogram"), self.invalid)
        self.decayed = decay_histogram(self.decayed, new, rate)
        self.folds = self.folds + 1
        self.histogram = torch.zeros_like(self.histogram)
        self.histogram_slices = zero_placeholder_like(self.histogram_slices)
        self.invalid = torch.zeros_like(self.invalid)
        self._computed = None

    def counts(self) -> Tensor:
        """Returns the decayed histogram, float64 `[2, bins]`."""
        return self.decayed

    def _compute(self) -> Tensor:
        return super()._compute().masked_fill(self.folds == 0, 0.0)

    def _bound(self) -> Tensor | None:
        bound = super()._bound()
        return None if bound is None else bound.masked_fill(self.folds == 0, 0.0)

    def _found(self) -> Tensor:
        # The buffer is not in the value yet; invalid input of earlier folds is in the NaN bin
        # of `decayed`.
        return torch.zeros_like(self.invalid)


def mark_invalid(histogram: Tensor, invalid: Tensor) -> Tensor:
    """Returns the histogram with its NaN bin not empty if a weight was invalid.

    Args:
        histogram: Histogram `[2, bins]`.
        invalid: Counts as in CheckedMetric, int64 `[4]`.
    """
    nan = histogram[:, -1:] + invalid[WEIGHTS]
    return torch.cat([histogram[:, :-1], nan], dim=1)
