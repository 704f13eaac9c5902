"""The area under the precision-recall curve."""

from __future__ import annotations

from torch import Tensor

from raymon.metrics.base.score_histogram import ScoreHistogram
from raymon.metrics.numerics.average_precision import (
    average_precision,
    average_precision_error_bound,
)


class PRAUC(ScoreHistogram):
    """Area under the precision-recall curve of binary labels, as average precision.

    NaN without a positive. Up to `exact_rows` rows it is exact; of more, or if that is 0, it comes
    from the histogram that an AUC of the same arguments also has. At rates of positives from 0.1 %
    to 99.5 % the value was then within 2e-4 of the exact one for 10,000 rows or more, and within
    1.5e-3 for 1,000. Where scores crowd within few bins it may be off by 1e-3, and by more where
    they are fewer still. `error_bound` says how far it can be off at worst. It knows the weight in
    a bin but not the number of rows, so below some 100 positives it is wide.

    Args:
        thresholds: Number of thresholds from 0 to 1, for the value of torchmetrics'
            `BinaryAveragePrecision(thresholds=...)`; None for the accurate value.
        exact_rows: Rows that are kept, on all ranks together; 0 for a state of fixed size.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: There are fewer than 2 thresholds.
    """

    missing = ("there are no rows that weigh anything", "there is no positive (labels are all 0)")

    def _value(self, counts: Tensor) -> Tensor:
        return average_precision(counts)

    def _bound_of(self, counts: Tensor) -> Tensor:
        return average_precision_error_bound(counts)

    def _missing(self) -> Tensor:
        return super()._missing()[:2]
