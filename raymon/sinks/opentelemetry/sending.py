"""What a run sends from the first call on, in the process of the reporter."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from raymon.errors import os_reason
from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    RunEnded,
    Snapshot,
)
from raymon.retries import retrying
from raymon.sinks.opentelemetry.destination import Destination, Signal
from raymon.sinks.opentelemetry.exporter import Exporter
from raymon.sinks.opentelemetry.resource import resource_of
from raymon.sinks.opentelemetry.run_points import RunPoints
from raymon.sinks.opentelemetry.run_trace import RunTrace
from raymon.sinks.opentelemetry.trace_file import OpenSession, TraceFile, TraceState
from raymon.sinks.prometheus.run_gauges import run_label
from raymon.storage import StoragePath

_READ_PAUSES_S = (0.5, 1.0, 2.0)
"""Seconds between the tries to read the file of the trace."""


class Sending:
    """Makes points and spans of what happens in a run, and sends them.

    After a restart numbers come again that were sent already; these are known by their times, by
    one clock, since they come between a roll-back and the begin of the next attempt.

    Args:
        directory: Directory of the run; None if there is none.
        destinations: Where each signal goes.
        attributes: Further attributes of the resource.
        session: The session, the same in each process that goes on with it.
        window_spans: Spans of windows after which each second one alone has one, and so on.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        directory: StoragePath | None,
        destinations: Mapping[Signal, Destination],
        attributes: Mapping[str, str],
        session: OpenSession,
        window_spans: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._file = TraceFile(directory)
        self._notices: list[str] = []
        self._state = self._read()
        self._trace = RunTrace(self._state, session, window_spans, clock)
        run = None if directory is None else str(directory)
        labels = {} if run is None else {"run": run_label(run)}
        self._exporter = Exporter(destinations, resource_of(run, attributes), labels)
        self._exporter.add(spans=self._trace.begin())
        self._points = RunPoints(run, self._state.began)
        self._window, self._evaluation = self._state.windows_until, self._state.evaluations_until
        self._comes_again = False

    def roll_back(self) -> None:
        """Takes it that what follows may have been sent."""
        self._comes_again = True

    def begin_attempt(self, attempt: AttemptBegan) -> None:
        """Adds the begin of an attempt; one that is going on has begun already."""
        running = self._state.attempt
        if running is not None and running.attempt == attempt.attempt:
            return
        self._comes_again = False
        points = self._points.begin_attempt(attempt, self._clock())
        self._exporter.add(points, self._trace.begin_attempt(attempt))
        self._keep()

    def fail_attempt(self, failed: AttemptFailed) -> None:
        """Adds the failure of an attempt."""
        self._exporter.add(spans=self._trace.fail_attempt(failed))

    def write(self, snapshot: Snapshot) -> None:
        """Adds a snapshot, unless it was sent."""
        if self._comes_again and 0 < snapshot.time <= self._window:
            return
        self._window = snapshot.time
        points = self._points.snapshot(snapshot, self._clock())
        self._exporter.add(points, self._trace.window(snapshot))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Adds an evaluation, unless it was sent."""
        if self._comes_again and evaluation.time <= self._evaluation:
            return
        self._evaluation = evaluation.time
        points = self._points.evaluation(evaluation, self._clock())
        self._exporter.add(points, self._trace.evaluation(evaluation))

    def write_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        """Adds a save."""
        self._exporter.add(self._points.checkpoint(checkpoint), self._trace.checkpoint(checkpoint))

    def write_alert(self, alert: Alert) -> None:
        """Adds the begin or the end of an alert."""
        self._exporter.add(self._points.alert(alert), self._trace.alert(alert))

    def end_run(self, ended: RunEnded) -> None:
        """Adds the end of the session."""
        self._exporter.add(self._points.end(self._clock()), self._trace.end(ended))

    def end(self) -> None:
        """Ends the session if nothing has."""
        self._exporter.add(spans=self._trace.close())

    def send(self) -> None:
        """Sends all that waits, and keeps how far it came.

        Raises:
            CollectorError: Something waits on.
        """
        try:
            self._exporter.send()
            self._state.windows_until = self._window
            self._state.evaluations_until = self._evaluation
        finally:
            self._keep()

    def take_notices(self) -> list[str]:
        """Returns what people should read, since the last call."""
        found, self._notices = self._notices, []
        return [*found, *self._exporter.take_notices()]

    def close(self) -> None:
        """Closes the connections."""
        self._exporter.close()

    def _read(self) -> TraceState:
        try:
            return retrying(_READ_PAUSES_S, lambda error: isinstance(error, OSError))(
                self._file.read
            )
        except OSError as error:
            self._notices.append(f"a new trace begins: {os_reason(error)}")
            return TraceState()

    def _keep(self) -> None:
        try:
            self._file.write(self._state)
        except OSError as error:
            text = f"its trace may not go on after a restart: {os_reason(error)}"
            if text not in self._notices:
                self._notices.append(text)
