"""The check for gradients that are zero."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.diagnosis.numbers.series import Series
from raymon.diagnosis.numbers.series_check import SeriesCheck
from raymon.results import Snapshot

_LASTS = 2


class StillWeights(SeriesCheck):
    """Finds that all gradients of dense parameters are 0, so that weights do not move."""

    kind = "weights_still"

    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns the norm of all gradients of dense parameters."""
        norm = snapshot.dense_gradient_norm
        return {} if norm is None else {"": norm}

    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Looks whether the newest are 0."""
        newest = series.points[-_LASTS:]
        if len(newest) < _LASTS or any(point.value != 0 for point in newest):
            return None
        steps = " and ".join(str(point.end_step - 1) for point in newest)
        return f"all gradients of dense parameters are 0 in steps {steps}: weights do not move"
