"""The points of metrics that what happens in a run makes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from raymon.results import Alert, AttemptBegan, CheckpointSaved, Evaluation, Snapshot
from raymon.sinks.opentelemetry.otlp import Point
from raymon.sinks.opentelemetry.spans import nanoseconds
from raymon.sinks.prometheus.run_gauges import shown_place
from raymon.sinks.prometheus.series import Series, of_evaluation, of_snapshot, series
from raymon.version import __version__

Values = Iterable[tuple[Series, float]]


class RunPoints:
    """Makes points, with the names and labels of `GAUGES`; what has no value has none.

    Args:
        run: Directory or URI that the run writes to; None if there is none.
        began: Seconds since 1970 at which the run began, from which on its sums count.
    """

    def __init__(self, run: str | None, began: float) -> None:
        self._run = run
        self._start_ns = nanoseconds(began)

    def begin_attempt(self, attempt: AttemptBegan, now: float) -> list[Point]:
        """Returns the points of the begin of an attempt."""
        found: list[tuple[Series, float]] = [
            (series("raymon_up"), 1),
            (series("raymon_attempt"), attempt.attempt),
            (series("raymon_world_size"), attempt.world_size),
            (series("raymon_step"), attempt.step),
        ]
        if self._run is not None:
            found.append((series("raymon_run_info", shown_place(self._run), __version__), 1))
        return self._at(now, found)

    def snapshot(self, snapshot: Snapshot, now: float) -> list[Point]:
        """Returns the points of a snapshot, at its own time if it has one."""
        found = [*of_snapshot(snapshot), *_of_coverage(snapshot)]
        return self._at(snapshot.time or now, found)

    def evaluation(self, evaluation: Evaluation, now: float) -> list[Point]:
        """Returns the points of an evaluation, at its own time if it has one."""
        return self._at(evaluation.time or now, of_evaluation(evaluation))

    def checkpoint(self, saved: CheckpointSaved) -> list[Point]:
        """Returns the point of a checkpoint that is complete."""
        found = [(series("raymon_checkpoint_step"), saved.step)]
        return self._at(saved.began + saved.seconds, found)

    def alert(self, alert: Alert) -> list[Point]:
        """Returns the point of an alert: 1 when it begins, and 0 when it is over."""
        rank = "" if alert.finding.rank is None else str(alert.finding.rank)
        found = [(series("raymon_alert", alert.finding.kind, rank), int(not alert.is_over))]
        return self._at(alert.time, found)

    def end(self, now: float) -> list[Point]:
        """Returns the point of the end of a session."""
        return self._at(now, [(series("raymon_up"), 0)])

    def _at(self, seconds: float, values: Values) -> list[Point]:
        time_ns = nanoseconds(seconds)
        return [
            Point(each, value, self._start_ns, time_ns)
            for each, value in values
            if math.isfinite(value)
        ]


def _of_coverage(snapshot: Snapshot) -> Iterator[tuple[Series, float]]:
    yield series("raymon_up"), 1
    yield series("raymon_coverage_ranks"), snapshot.coverage.ranks
    yield series("raymon_world_size"), snapshot.coverage.world_size
