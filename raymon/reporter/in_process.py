"""A reporter in the process of the worker, for a run without Ray."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TypeVar

from raymon.metrics import TrainMetricWrapper
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.results import Evaluation, Published, ReporterStatus
from raymon.wire import Ack

T = TypeVar("T")
Metrics = Mapping[str, TrainMetricWrapper]


class InProcessReporter:
    """Lets threads of this process take turns at a reporter. It is a `Channel` too.

    Args:
        reporter: The reporter.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._lock = threading.Lock()

    def begin_attempt(
        self, token: str, world_size: int, restored_step: int, metrics: Metrics
    ) -> int:
        """As `Reporter.begin_attempt`."""
        with self._lock:
            return self._reporter.begin_attempt(token, world_size, restored_step, metrics)

    def channel(self, attempt: int, world_size: int, metrics: Metrics) -> InProcessReporter:
        """The way for windows: this."""
        return self

    def report(self, message: bytes) -> Future[Ack]:
        """As `Reporter.report`; done on return."""
        return self._done(lambda: self._reporter.report(message))

    def acknowledged(self) -> Future[Ack]:
        """As `Reporter.acknowledged`; done on return."""
        return self._done(self._reporter.acknowledged)

    def publish_evaluation(self, evaluation: Evaluation) -> Future[None]:
        """As `Reporter.publish_evaluation`; done on return."""
        return self._done(lambda: self._reporter.publish_evaluation(evaluation))

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        """As `Reporter.publish_notice`; done on return."""
        return self._done(lambda: self._reporter.publish_notice(text, level))

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """As `Reporter.publish_evaluation_progress`; done on return."""
        return self._done(
            lambda: self._reporter.publish_evaluation_progress(step, done, total, seconds)
        )

    def published(self, since: Cursor | None = None) -> tuple[list[Published], Cursor]:
        """As `Reporter.published`."""
        with self._lock:
            return self._reporter.published(since)

    def close(self) -> ReporterStatus:
        """Closes the reporter; gives its status."""
        with self._lock:
            self._reporter.close()
            return self._reporter.status()

    def _done(self, action: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        try:
            with self._lock:
                future.set_result(action())
        except Exception as error:
            future.set_exception(error)
        return future
