"""The files of a run that goes on: `run.json` and `monitor/live.json`, until it has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import Any, Protocol

from raymon.reporter.live.live_status import Status, StatusLink, live_status
from raymon.reporter.live.session import Session
from raymon.reporter.live.summary import Summary, with_numbers_before
from raymon.reporter.live.upkeep import Upkeep
from raymon.reporter.progress import NewsSource, Progress
from raymon.results import ReporterStatus
from raymon.runs import RUN_FILE, RUNNING
from raymon.storage import StoragePath, to_json, write_whole

Summarise = Callable[[str, ReporterStatus | None, str | None, Mapping[str, int]], Summary]
"""Returns the summary of a run.

It is given the status of the run, that of its reporter if it is known, what ended the run if that
was a failure, and the number of failures of monitoring outside of the reporter, by reason.
"""


class RunLink(NewsSource, StatusLink, Protocol):
    """The reporter of a run, for who follows it."""

    def status(self) -> ReporterStatus:
        """Returns the counts of the reporter, and the totals of its run."""


class RunFile:
    """Brings the files up to date on a thread, within a context.

    Args:
        directory: Directory of the run.
        session: The session that goes on.
        total_steps: Steps of the run; None if unknown.
        progress: Progress of the run.
        reporter: Its reporter.
        summarise: Function that returns its summary.
        checkpoint: Function that returns its newest checkpoint, as a status has it; None if it has
            none that is known.
    """

    def __init__(
        self,
        directory: StoragePath,
        session: Session,
        total_steps: int | None,
        progress: Progress,
        reporter: RunLink,
        summarise: Summarise,
        checkpoint: Callable[[], Mapping[str, Any] | None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._session = session
        self._total_steps = total_steps
        self._progress = progress
        self._reporter = reporter
        self._summarise = summarise
        self._find_checkpoint = checkpoint
        self._checkpoint: Mapping[str, Any] | None = None
        self._reported: ReporterStatus | None = None
        self._is_over = False
        # Held while the file is written, so that nothing replaces how the run ended.
        self._lock = threading.Lock()
        self._upkeep = Upkeep(directory, progress, self._status, self._update)

    def __enter__(self) -> RunFile:
        self._upkeep.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def reported(self) -> ReporterStatus | None:
        """The last status of the reporter that was asked for; None if there was none."""
        return self._reported

    @property
    def failures(self) -> int:
        """Number of times that a file could not be written."""
        return sum(self._upkeep.failure_reasons.values())

    def close(self) -> None:
        """Leaves `run.json` to who writes how the run ended; a second call does nothing."""
        self._upkeep.close()
        with self._lock:
            self._is_over = True

    def write_ahead(self, status: str) -> None:
        """Writes how the run ends before it does so: it may not have the time to say more.

        Raises:
            RaymonError, OSError: It is not written.
        """
        with self._lock:
            self._is_over = True
            self.summarise(status, None).write()

    def summarise(
        self, status: str, reported: ReporterStatus | None, error: str | None = None
    ) -> Summary:
        """Returns the summary of the run.

        Args:
            status: Its status.
            reported: Last status of the reporter; None if it did not answer any more.
            error: What ended it, in one line; None if that was not a failure.
        """
        return self._summarise(status, reported, error, self._upkeep.failure_reasons)

    def _update(self) -> None:
        self._checkpoint = self._find_checkpoint()
        content = (to_json(self._content(), indent=2) + "\n").encode()
        with self._lock:
            if not self._is_over:
                write_whole(self._directory / RUN_FILE, content)

    def _content(self) -> dict[str, Any]:
        if self._progress.last is None:
            return with_numbers_before(self.summarise(RUNNING, None), self._session)
        with suppress(Exception):  # it may be gone, and be started again in a moment
            self._reported = self._reporter.status()
        return asdict(self.summarise(RUNNING, self._reported).stamped())

    def _status(self) -> Status:
        run = str(self._directory)
        status = live_status(run, self._total_steps, self._progress, self._reporter)
        # That of the last summary: to look for it takes longer than all the rest.
        return {**status, "checkpoint": self._checkpoint}
