"""The check for labels that are all of one class."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.diagnosis.numbers.series import Series
from raymon.diagnosis.numbers.series_check import SeriesCheck
from raymon.results import Snapshot

_ONE_CLASS = "one class alone"


class OneClass(SeriesCheck):
    """Finds train metrics that have no value because all labels so far are of one class."""

    kind = "labels_of_one_class"

    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns 1 for each metric that says so, else 0."""
        return {name: float(_ONE_CLASS in why) for name, why in snapshot.no_value.items()}

    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Says what the metric says."""
        why = snapshot.no_value[name]
        return f"{name} has no value: {why}" if series.values[-1] else None
