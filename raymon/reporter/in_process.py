"""The reporter of a run without Ray, in the process of the worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TypeVar

from raymon.metrics import TrainMetricWrapper
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.results import (
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    Failure,
    Finding,
    Published,
    RankState,
    ReporterStatus,
    RunEnded,
)
from raymon.wire import Ack, RankAnswer, RankRequest

T = TypeVar("T")
Metrics = Mapping[str, TrainMetricWrapper]


class InProcessReporter:
    """A `Channel` that calls a reporter of this process, one thread at a time.

    Args:
        reporter: The reporter that is called.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._lock = threading.Lock()

    def begin_attempt(
        self, token: str, world_size: int, restored_step: int, metrics: Metrics
    ) -> int:
        """Calls `Reporter.begin_attempt`."""
        with self._lock:
            return self._reporter.begin_attempt(token, world_size, restored_step, metrics)

    def channel(self, attempt: int, world_size: int, metrics: Metrics) -> InProcessReporter:
        """Returns itself, which carries windows too."""
        return self

    def report(self, message: bytes) -> Future[Ack]:
        """Calls `Reporter.report`; the future is done on return."""
        return self._done(lambda: self._reporter.report(message))

    def beat(self, message: bytes) -> Future[Ack]:
        """Calls `Reporter.beat`; the future is done on return."""
        return self._done(lambda: self._reporter.beat(message))

    def acknowledged(self) -> Future[Ack]:
        """Calls `Reporter.acknowledged`; the future is done on return."""
        return self._done(self._reporter.acknowledged)

    def publish_evaluation(self, evaluation: Evaluation) -> Future[None]:
        """Calls `Reporter.publish_evaluation`; the future is done on return."""
        return self._done(lambda: self._reporter.publish_evaluation(evaluation))

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        """Calls `Reporter.publish_notice`; the future is done on return."""
        return self._done(lambda: self._reporter.publish_notice(text, level))

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """Calls `Reporter.publish_evaluation_progress`; the future is done on return."""
        return self._done(
            lambda: self._reporter.publish_evaluation_progress(step, done, total, seconds)
        )

    def publish_checkpoint(self, checkpoint: CheckpointSaved) -> Future[None]:
        """Calls `Reporter.publish_checkpoint`; the future is done on return."""
        return self._done(lambda: self._reporter.publish_checkpoint(checkpoint))

    def answer_request(self, answer: RankAnswer) -> Future[None]:
        """Calls `Reporter.answer_request`; the future is done on return."""
        return self._done(lambda: self._reporter.answer_request(answer))

    def ask_ranks(self, request: RankRequest | None) -> None:
        """Calls `Reporter.ask_ranks`."""
        with self._lock:
            self._reporter.ask_ranks(request)

    def rank_answers(self) -> tuple[int | None, list[RankAnswer]]:
        """Calls `Reporter.rank_answers`."""
        with self._lock:
            return self._reporter.rank_answers()

    def give_up(self, ranks: Sequence[int]) -> None:
        """Calls `Reporter.give_up`."""
        with self._lock:
            self._reporter.give_up(ranks)

    @property
    def waits_s(self) -> float:
        """`Reporter.waits_s`."""
        with self._lock:
            return self._reporter.waits_s

    def look(self) -> None:
        """Calls `Reporter.look`."""
        with self._lock:
            self._reporter.look()

    def ranks(self) -> list[RankState]:
        """Calls `Reporter.ranks`."""
        with self._lock:
            return self._reporter.ranks()

    def findings(self) -> list[Finding]:
        """Calls `Reporter.findings`."""
        with self._lock:
            return self._reporter.findings()

    def status(self) -> ReporterStatus:
        """Calls `Reporter.status`."""
        with self._lock:
            return self._reporter.status()

    def published(self, since: Cursor | None = None) -> tuple[list[Published], Cursor]:
        """Calls `Reporter.published`."""
        with self._lock:
            return self._reporter.published(since)

    def publish_failure(self, failure: Failure) -> AttemptFailed:
        """Calls `Reporter.publish_failure`."""
        with self._lock:
            return self._reporter.publish_failure(failure)

    def close(self, ended: RunEnded | None = None) -> ReporterStatus:
        """Closes the reporter and returns its last status; see `Reporter.close`."""
        with self._lock:
            self._reporter.close(ended)
            return self._reporter.status()

    def _done(self, action: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        try:
            with self._lock:
                future.set_result(action())
        except Exception as error:
            future.set_exception(error)
        return future
