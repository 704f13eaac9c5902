"""Area under the ROC curve, of samples that fade with time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.auc import AUC
from raymon.metrics.base.checked_metric import WEIGHTS
from raymon.metrics.base.sliced_weights import nothing_like, table_of
from raymon.metrics.decay.decay_law import decay_histogram


class DecayAUC(AUC):
    """Area under the ROC curve whose samples lose weight at every fold.

    `update` adds to the buffer (`histogram`, as in AUC); `decay` folds the buffer into `decayed`,
    float64 `[2, bins]`; `compute` is the area of `decayed` alone, and 0.0 before the first fold.

    Args:
        thresholds: as for AUC.
        kwargs: what every torchmetrics metric takes.
    """

    decayed: Tensor
    folds: Tensor

    def __init__(self, thresholds: int | None = None, **kwargs: Any) -> None:
        super().__init__(thresholds, exact_rows=0, **kwargs)
        empty = torch.zeros(self.histogram.shape, dtype=torch.float64)
        self.add_state("decayed", empty, dist_reduce_fx="sum")
        self.add_state("folds", torch.zeros((), dtype=torch.int64), dist_reduce_fx="max")

    def decay(self, rate: float) -> None:
        """Fold the buffer in: `decayed = rate * decayed + (1 - rate) * buffer`; empty the buffer.

        The first time `decayed` is the buffer.

        Args:
            rate: weight of the past, in [0, 1].
        """
        new = mark_invalid(table_of(self, "histogram"), self.invalid)
        self.decayed = decay_histogram(self.decayed, new, rate)
        self.folds = self.folds + 1
        self.histogram = torch.zeros_like(self.histogram)
        self.histogram_slices = nothing_like(self.histogram_slices)
        self.invalid = torch.zeros_like(self.invalid)
        self._computed = None

    def counts(self) -> Tensor:
        return self.decayed

    def _compute(self) -> Tensor:
        return super()._compute().masked_fill(self.folds == 0, 0.0)

    def _bound(self) -> Tensor | None:
        bound = super()._bound()
        return None if bound is None else bound.masked_fill(self.folds == 0, 0.0)

    def _found(self) -> Tensor:
        # The buffer is not in the value yet; what makes that NaN has its bin in `decayed`.
        return torch.zeros_like(self.invalid)


def mark_invalid(histogram: Tensor, invalid: Tensor) -> Tensor:
    """The histogram `[2, bins]` with something in its NaN bin where a weight was invalid.

    Args:
        histogram: `[2, bins]`.
        invalid: int64 `[4]`, as in CheckedMetric.
    """
    nan = histogram[:, -1:] + invalid[WEIGHTS]
    return torch.cat([histogram[:, :-1], nan], dim=1)
