"""The check for learning rates that are zero while training goes on."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.diagnosis.numbers.series import Series
from raymon.diagnosis.numbers.series_check import SeriesCheck
from raymon.results import Snapshot

_LASTS = 3


class ZeroLearningRate(SeriesCheck):
    """Finds that all learning rates are 0, in several snapshots in a row.

    One of several may be so on purpose, and a warm-up begins with it.
    """

    kind = "zero_learning_rate"

    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns the largest learning rate."""
        return {"": max(snapshot.learning_rates)} if snapshot.learning_rates else {}

    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Looks whether the newest are 0."""
        newest = series.points[-_LASTS:]
        if len(newest) < _LASTS or any(point.value != 0 for point in newest):
            return None
        return (
            f"every learning rate is 0 in steps {newest[0].end_step - 1} to {snapshot.end_step}: "
            "nothing is learned any more"
        )
