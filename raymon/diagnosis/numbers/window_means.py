"""Checks of train metrics whose windows are away from where they should be."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.diagnosis.numbers.metric_names import is_auc
from raymon.diagnosis.numbers.series import Series, mean_and_error
from raymon.diagnosis.numbers.series_check import SeriesCheck
from raymon.number_text import number_text
from raymon.results import Snapshot

_WARM_UP = 20
"""Values of the beginning of a run, where a model knows nothing."""

_COMPARED = 20
_ERRORS = 6.0
"""A mean of this many values is away from a number if it is so by this many standard errors."""


class LowAuc(SeriesCheck):
    """Finds areas under the ROC curve below one half: the scores are the wrong way round.

    The value of a window is independent of those of the others, so that their spread says how far
    their mean can be off by chance.
    """

    kind = "auc_below_half"

    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns the AUCs of these steps alone, without those of precision and recall."""
        return {name: v for name, v in snapshot.window_metrics.items() if is_auc(name)}

    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Compares the mean of the newest values with one half."""
        if len(series) < _WARM_UP + _COMPARED:
            return None
        mean, error = mean_and_error(series.values[-_COMPARED:])
        bound = snapshot.metric_bounds.get(name, 0.0)
        if mean + bound + _ERRORS * error >= 0.5:
            return None
        first = series.points[-_COMPARED].first_step
        return f"{name} is {number_text(mean)} in steps {first} to {snapshot.end_step}, below 0.5"


class CalibrationDrift(SeriesCheck):
    """Finds predictions whose mean is away from that of the labels, after it was near it."""

    kind = "calibration_drift"
    _NEAR, _FAR = 0.1, 0.25

    def __init__(self) -> None:
        super().__init__()
        self._was_near: set[str] = set()

    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns the metrics `calibration` of these steps alone: predictions by labels."""
        of_steps = snapshot.window_metrics.items()
        return {name: value for name, value in of_steps if "calibration" in name.split("_")}

    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Compares the mean of the newest values with 1."""
        if len(series) < _WARM_UP + _COMPARED:
            return None
        mean, error = mean_and_error(series.values[-_COMPARED:])
        if abs(mean - 1) + _ERRORS * error < self._NEAR:
            self._was_near.add(name)
        if name not in self._was_near or abs(mean - 1) - _ERRORS * error <= self._FAR:
            return None
        first = series.points[-_COMPARED].first_step
        return (
            f"{name} is {number_text(mean)} in steps {first} to {snapshot.end_step}: predictions "
            f"are too {'high' if mean > 1 else 'low'}"
        )
