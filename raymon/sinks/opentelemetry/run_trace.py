"""The trace of a run: what happens in it, as spans that are over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    Key,
    RunEnded,
    Snapshot,
)
from raymon.sinks.opentelemetry.spans import FinishedSpan, nanoseconds, span_id_of
from raymon.sinks.opentelemetry.trace_file import OpenAttempt, OpenSession, TraceState
from raymon.sinks.opentelemetry.window_limit import WindowLimit
from raymon.sinks.prometheus.run_gauges import shown_place

_UNSEEN = "its end was not seen: the process that ran it is gone"
_FAILED = ("failed", "diverged")


class RunTrace:
    """Makes the spans of a run: of its sessions, attempts, windows, saves, evaluations and alerts.

    Spans can be sent once they are over, so those of windows and saves come as the run goes on,
    that of an attempt at its end, and that of the run at the end of the session.

    Args:
        state: Where the trace is, which is changed as it goes on.
        session: The session; the same in each process that goes on with it.
        most_windows: Spans of windows after which each second window alone has one, and so on; 0
            for none.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        state: TraceState,
        session: OpenSession,
        most_windows: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._session = session
        self._windows = WindowLimit(most_windows)
        self._clock = clock
        self._trace_id = bytes.fromhex(state.trace_id)
        self._alerts: dict[Key, float] = {}
        self._step = 0

    def begin(self) -> Iterator[FinishedSpan]:
        """Begins the session, and yields what an earlier one left open."""
        if self._state.session is not None and self._state.session != self._session:
            # That process was killed; what is known of its end is its last window.
            yield from self._end_session(self._state.windows_until, {}, _UNSEEN, _UNSEEN)
        if self._state.session is None:
            self._state.session = self._session
            self._state.began = self._state.began or self._session.began

    def begin_attempt(self, attempt: AttemptBegan) -> Iterator[FinishedSpan]:
        """Begins an attempt, and yields the span of the one before."""
        running = self._state.attempt
        if running is not None and running.attempt == attempt.attempt:
            return  # a restarted reporter goes on with it
        now = self._clock()
        yield from self._end_attempt(now, None)
        self._state.attempt = OpenAttempt(attempt.attempt, attempt.world_size, attempt.step, now)
        self._windows.begin()

    def fail_attempt(self, failed: AttemptFailed) -> Iterator[FinishedSpan]:
        """Ends an attempt; one that failed before it began has a span without a length."""
        now, running = self._clock(), self._state.attempt
        if running is not None and running.attempt == failed.attempt:
            yield from self._end_attempt(now, failed.text)
        else:
            yield self._span(
                "attempt",
                ("attempt before its start", failed.attempt, now),
                (now, now),
                {"raymon.attempt": failed.attempt},
                parent=bytes.fromhex(self._session.span_id),
                error=failed.text,
            )

    def window(self, snapshot: Snapshot) -> Iterator[FinishedSpan]:
        """Yields the span of the steps of a snapshot, unless there were too many."""
        self._step = snapshot.end_step
        every = self._windows.take()
        if every is None:
            return
        values: dict[str, Any] = {
            "raymon.first_step": snapshot.first_step,
            "raymon.end_step": snapshot.end_step,
            "raymon.epoch": snapshot.epoch,
            "raymon.samples": snapshot.samples,
            "raymon.seconds": snapshot.seconds,
            "raymon.samples_per_second": snapshot.samples_per_second,
            "raymon.ranks": snapshot.coverage.ranks,
            "raymon.world_size": snapshot.coverage.world_size,
        }
        for name, loss in snapshot.all_losses.items():
            values[f"raymon.loss.{name}"] = loss
        for name, value in snapshot.metrics.items():
            values[f"raymon.metric.{name}"] = value
        for name, value in snapshot.scalars.items():
            values[f"raymon.scalar.{name}"] = value
        for phase, seconds in snapshot.phases.items():
            values[f"raymon.phase_seconds.{phase}"] = seconds
        if snapshot.anatomy.slowest_rank is not None:
            values["raymon.slowest_rank"] = snapshot.anatomy.slowest_rank
        if every > 1:
            values["raymon.windows_per_span"] = every
        end = snapshot.time or self._clock()
        key = ("window", snapshot.first_step, snapshot.end_step, end)
        yield self._span("window", key, (end - snapshot.seconds, end), values)

    def evaluation(self, evaluation: Evaluation) -> Iterator[FinishedSpan]:
        """Yields the span of an evaluation."""
        values: dict[str, Any] = {"raymon.step": evaluation.step}
        for name, value in evaluation.metrics.items():
            values[f"raymon.eval_metric.{name}"] = value
        for name, why in evaluation.no_value.items():
            values[f"raymon.no_value.{name}"] = why
        end = evaluation.time or self._clock()
        key, times = ("evaluation", evaluation.step, end), (end - evaluation.seconds, end)
        yield self._span("evaluation", key, times, values)

    def checkpoint(self, saved: CheckpointSaved) -> Iterator[FinishedSpan]:
        """Yields the span of a save."""
        values: dict[str, Any] = {"raymon.step": saved.step}
        if saved.path is not None:
            values["raymon.checkpoint"] = shown_place(saved.path)
        times = saved.began, saved.began + saved.seconds
        yield self._span("save", ("save", saved.step, saved.began), times, values)

    def alert(self, alert: Alert) -> Iterator[FinishedSpan]:
        """Yields a span without a length when an alert begins, and one of its length at its end."""
        finding = alert.finding
        values: dict[str, Any] = {"raymon.step": alert.step, "raymon.alert": finding.kind}
        for name in ("rank", "host", "phase", "subject", "first_step", "last_step", "cost"):
            if (value := getattr(finding, name)) not in (None, ""):
                values[f"raymon.alert.{name}"] = value
        values["raymon.alert.text"] = finding.text
        about = finding.kind, finding.rank, finding.subject
        if alert.is_over:
            began = self._alerts.pop(finding.key, alert.time)
            key = ("alert over", *about, alert.time)
            yield self._span("alert over", key, (began, alert.time), values)
        else:
            self._alerts[finding.key] = alert.time
            key, times = ("alert", *about, alert.time), (alert.time, alert.time)
            yield self._span("alert", key, times, values, error=finding.text)

    def end(self, ended: RunEnded) -> Iterator[FinishedSpan]:
        """Ends the session."""
        error = (ended.error or ended.status) if ended.status in _FAILED else None
        yield from self._end_session(self._clock(), {"raymon.status": ended.status}, error, error)

    def close(self) -> Iterator[FinishedSpan]:
        """Ends the session if nothing has."""
        if self._state.session is not None:
            yield from self._end_session(self._clock(), {}, None, None)

    def _end_session(
        self, at: float, values: dict[str, Any], error: str | None, attempt_error: str | None
    ) -> Iterator[FinishedSpan]:
        yield from self._end_attempt(at, attempt_error)
        session, before = self._state.session, self._state.last_session
        if session is None:
            return
        self._state.session, self._state.last_session = None, session.span_id
        yield FinishedSpan(
            self._trace_id,
            bytes.fromhex(session.span_id),
            b"",
            "run",
            nanoseconds(session.began),
            nanoseconds(max(session.began, at)),
            {"raymon.end_step": self._step, **values},
            error,
            () if before is None else (bytes.fromhex(before),),
        )

    def _end_attempt(self, at: float, error: str | None) -> Iterator[FinishedSpan]:
        running, self._state.attempt = self._state.attempt, None
        if running is None:
            return
        values = {
            "raymon.attempt": running.attempt,
            "raymon.world_size": running.world_size,
            "raymon.first_step": running.step,
            "raymon.end_step": max(running.step, self._step),
        }
        parent = self._state.session or self._session
        yield self._span(
            "attempt",
            ("attempt", running.attempt),
            (running.began, at),
            values,
            parent=bytes.fromhex(parent.span_id),
            error=error,
        )

    def _span(
        self,
        name: str,
        key: tuple[object, ...],
        times: tuple[float, float],
        values: dict[str, Any],
        parent: bytes | None = None,
        error: str | None = None,
    ) -> FinishedSpan:
        began, ended = times
        return FinishedSpan(
            self._trace_id,
            span_id_of(self._trace_id, *key),
            self._parent() if parent is None else parent,
            name,
            nanoseconds(began),
            nanoseconds(max(began, ended)),
            values,
            error,
        )

    def _parent(self) -> bytes:
        running = self._state.attempt
        if running is None:
            return bytes.fromhex(self._session.span_id)
        return span_id_of(self._trace_id, "attempt", running.attempt)
