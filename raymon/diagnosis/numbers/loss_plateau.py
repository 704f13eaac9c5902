"""The check for losses that have not fallen since the run began."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean

from raymon.diagnosis.numbers.metric_names import is_auc
from raymon.diagnosis.numbers.series import Level, Series
from raymon.diagnosis.numbers.series_check import SeriesCheck
from raymon.number_text import number_text
from raymon.results import Snapshot

_KNOWN = 30
_FIRST, _NEWEST = 3, 15
_OF_LOSS = 0.001
_ERRORS = 4.0
_LEARNED_AUC = 0.52


class LossPlateau(SeriesCheck):
    """Finds losses of a new run that are where they began, after many snapshots.

    That a loss is flat after it fell is how training ends, and no trouble. A loss may fall within
    the steps of the first snapshot: a model whose AUC is above one half has learned something.
    """

    kind = "loss_plateau"

    def __init__(self) -> None:
        super().__init__()
        self._began: dict[str, float | None] = {}
        self._fell: set[str] = set()

    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns the losses."""
        return snapshot.losses

    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Compares the newest losses with the first ones."""
        points = series.points
        if name not in self._began and len(points) >= _FIRST:
            # A run that goes on from a checkpoint began elsewhere.
            is_new = points[0].first_step == 0
            self._began[name] = mean(p.value for p in points[:_FIRST]) if is_new else None
        began = self._began.get(name)
        if any(is_auc(metric) and v > _LEARNED_AUC for metric, v in snapshot.metrics.items()):
            self._fell.add(name)
        if began is None or name in self._fell or len(points) < _KNOWN:
            return None
        newest = Level.of([p.value for p in points[-_NEWEST:]])
        # Noise hides what is not some standard errors of the difference.
        error = newest.scale * (1 / _FIRST + 1 / _NEWEST) ** 0.5
        fell = began - newest.middle > max(_OF_LOSS * abs(began), _ERRORS * error)
        if fell:
            self._fell.add(name)
            return None
        return (
            f"{name} has not fallen since the run began: {number_text(began)} then, "
            f"{number_text(newest.middle)} in steps {points[-_NEWEST].first_step} to "
            f"{snapshot.end_step}"
        )
