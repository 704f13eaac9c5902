"""A sink that runs another sink in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    RunEnded,
    Snapshot,
)
from raymon.sinks.background.actions import (
    Action,
    Flush,
    RollBack,
    Write,
    WriteAlert,
    WriteEvaluation,
    WriteEvent,
)
from raymon.sinks.background.sink_thread import SinkThread
from raymon.sinks.sink import PatientSink, RunSink, Sink

CLOSE_S = 10.0
"""Seconds that the close of a sink may take that does not say how long."""

_TRIES = 3


class BackgroundSink:
    """A sink that runs another one on a daemon thread, so that it delays and breaks nothing else.

    Calls return at once and never raise. A call that raises in the other sink is tried again, then
    given up and counted, with a notice; while it hangs, what follows waits, up to a bound. The
    thread begins with the first call; until then the sink can be pickled. Calls must come from one
    thread.

    Args:
        sink: Sink that does the work.
        tries: Largest number of times that a call is tried; None for what the sink says, or else 3.
        retry_s: Seconds between the first two tries; they double.
        queued: Largest number of writes that may wait; the oldest write of a full queue is dropped.
        hangs_after_s: Seconds after which there is a notice of a call that has not returned.
        clock: Monotonic clock, in seconds.

    Attributes:
        close_s: Seconds that a close may take.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        tries: int | None = None,
        retry_s: float = 1.0,
        queued: int = 1000,
        hangs_after_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._tries = tries or (sink.tries if isinstance(sink, PatientSink) else _TRIES)
        self.close_s = sink.close_s if isinstance(sink, PatientSink) else CLOSE_S
        self._retry_s = retry_s
        self._queued = queued
        self._hangs_after_s = hangs_after_s
        self._clock = clock
        self._thread: SinkThread | None = None

    @property
    def name(self) -> str:
        """The class name of the other sink."""
        return type(self._sink).__name__

    @property
    def failures(self) -> int:
        """The number of calls that were given up."""
        return self._thread.failures if self._thread else 0

    @property
    def dropped(self) -> int:
        """The number of writes that were dropped, by a full queue or by the timeout at the end."""
        return self._thread.dropped if self._thread else 0

    @property
    def failure_reasons(self) -> dict[str, int]:
        """Number of `failures` and of `dropped`, by reason."""
        if self._thread is None:
            return {}
        found = {f"{self.name}: {why}": n for why, n in self._thread.failure_reasons.items()}
        return {**found, f"{self.name}: writes dropped": self.dropped} if self.dropped else found

    def write(self, snapshot: Snapshot) -> None:
        """Queues a snapshot to be written."""
        self._put(Write(snapshot))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Queues the scores of an evaluation to be written."""
        self._put(WriteEvaluation(evaluation))

    def write_alert(self, alert: Alert) -> None:
        """Queues an alert to be written."""
        self._put(WriteAlert(alert))

    def begin_attempt(self, attempt: AttemptBegan) -> None:
        """Queues that an attempt begins."""
        self._put_event(WriteEvent(attempt))

    def fail_attempt(self, failed: AttemptFailed) -> None:
        """Queues that an attempt has failed."""
        self._put_event(WriteEvent(failed))

    def write_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        """Queues that a checkpoint is complete."""
        self._put_event(WriteEvent(checkpoint))

    def end_run(self, ended: RunEnded) -> None:
        """Queues how the run ended."""
        self._put_event(WriteEvent(ended))

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Queues a roll-back, which is done before anything that follows.

        Args:
            step: Step after which training is taken back.
            evaluation_step: Step after which evaluations are taken back.
        """
        self._put(RollBack(step, evaluation_step))

    def flush(self) -> None:
        """Queues a flush, after everything that came before."""
        self.begin_flush()

    def begin_flush(self) -> threading.Event:
        """Queues a flush; returns an event that is set when it is done or given up."""
        flush = Flush()
        self._put(flush)
        return flush.over

    def begin_close(self) -> None:
        """Queues the close of the sink, after everything that came before."""
        self._started().begin_close()

    def close(self, timeout_s: float | None = None) -> None:
        """Writes what is left, and closes the other sink.

        Args:
            timeout_s: Seconds that this may take, None for `close_s`; writes that are left then are
                dropped.
        """
        self._started().close(self.close_s if timeout_s is None else timeout_s)

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call, one for each kind of failure."""
        return self._thread.take_notices() if self._thread else []

    def _put_event(self, event: WriteEvent) -> None:
        if isinstance(self._sink, RunSink):
            self._put(event)

    def _put(self, action: Action) -> None:
        self._started().put(action)

    def _started(self) -> SinkThread:
        if self._thread is None:
            self._thread = SinkThread(
                self._sink,
                self.name,
                tries=self._tries,
                retry_s=self._retry_s,
                queued=self._queued,
                hangs_after_s=self._hangs_after_s,
                clock=self._clock,
            )
        return self._thread
