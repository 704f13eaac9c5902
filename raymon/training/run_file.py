"""The files of a run that goes on: `run.json` and `monitor/live.json`, until it has ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Protocol

from raymon.reporter import Progress, Status, StatusLink, Upkeep, live_status
from raymon.results import ReporterStatus
from raymon.runs import RUN_FILE, RUNNING
from raymon.storage import storage_path, to_json, write_whole
from raymon.training.on_demand.run_status import checkpoint_status
from raymon.training.prepare import RunPlan
from raymon.training.session import Session
from raymon.training.summary import Summary, summarise, summary_before_numbers
from raymon.training.table_plans import read_parameters


class CountsLink(StatusLink, Protocol):
    """The reporter of a run, as far as its files are about it."""

    def status(self) -> ReporterStatus:
        """Returns the counts of the reporter, and the totals of its run."""


class RunFile:
    """Brings the files up to date on a thread, within a context.

    Args:
        plan: Plan of the run.
        session: The session that goes on.
        progress: Progress of the run.
        reporter: Its reporter.
    """

    def __init__(
        self, plan: RunPlan, session: Session, progress: Progress, reporter: CountsLink
    ) -> None:
        self._plan = plan
        self._session = session
        self._progress = progress
        self._reporter = reporter
        self._model_dir = storage_path(plan.config.model_dir)
        self._counts: ReporterStatus | None = None
        self._checkpoint: Mapping[str, Any] | None = None
        self._is_over = False
        # Held while the file is written, so that nothing replaces how the run ended.
        self._lock = threading.Lock()
        self._upkeep = Upkeep(self._model_dir, progress, self._status, self._update)

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

    def close(self) -> None:
        """Leaves `run.json` to who writes how the run ended; a second call does nothing."""
        self._upkeep.close()
        with self._lock:
            self._is_over = True

    def write_interrupted(self, status: str) -> None:
        """Writes that the run ends, before it does so: it may not have the time to say more.

        Args:
            status: How it ends.

        Raises:
            RaymonError, OSError: It is not written.
        """
        with self._lock:
            self._is_over = True
            self.summarise(status, None).write()

    def summarise(
        self, status: str, reported: ReporterStatus | None, error: str | None = None
    ) -> Summary:
        """Returns the summary of the run; the arguments are those of `summarise`."""
        failures = self._upkeep.failure_reasons
        return summarise(
            self._plan, self._session, self._progress, status, reported, error, failures
        )

    def _update(self) -> None:
        self._checkpoint = checkpoint_status(self._model_dir)
        content = (to_json(self._content(), indent=2) + "\n").encode()
        with self._lock:
            if not self._is_over:
                write_whole(self._model_dir / RUN_FILE, content)

    def _content(self) -> dict[str, Any]:
        progress = self._progress
        if progress.last is None:
            known = summary_before_numbers(self._session, self._model_dir, self._plan.total_steps)
            attempts = progress.attempts.listed
            if attempts:
                known["workers"] = attempts[-1].world_size
            parameters = read_parameters(self._model_dir)
            listed = [asdict(attempt) for attempt in attempts]
            return {**known, "parameters": parameters, "attempts": listed}
        with suppress(Exception):  # it may be gone, and be started again in a moment
            self._counts = self._reporter.status()
        summary = self.summarise(RUNNING, self._counts)
        return asdict(_with_newer(summary, progress).stamped())

    def _status(self) -> Status:
        status = live_status(
            str(self._model_dir), self._plan.total_steps, self._progress, self._reporter
        )
        # That of the last summary: to look for it takes longer than all the rest.
        return {**status, "checkpoint": self._checkpoint}


def _with_newer(summary: Summary, progress: Progress) -> Summary:
    """Returns a summary with what is newer than the newest checkpoint."""
    newest = progress.evaluations[-1] if progress.evaluations else None
    newer = replace(summary, steps=progress.attempts.reached)
    if newest is None or newest.step < summary.steps:
        return newer
    return replace(
        newer,
        eval_metrics=dict(newest.metrics),
        eval_metric_bounds=dict(newest.metric_bounds),
        eval_metric_details=dict(newest.metric_details),
        no_value=dict(newest.no_value),
    )
