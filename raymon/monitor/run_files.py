"""The files of a run with a custom training loop: how it is, and in the end how it ended."""

from __future__ import annotations

import sys
from functools import partial

from raymon.errors import reason
from raymon.monitor.run import MonitoredRun
from raymon.monitor.summary import summarise
from raymon.reporter import Progress, RunFile, with_verdict
from raymon.results import ReporterStatus
from raymon.run_dir import SignOfLife
from raymon.runs import DONE, FAILED, INTERRUPTED


class RunFiles:
    """Keeps `run.json` and `monitor/live.json` of a run up to date, until it is closed.

    Args:
        run: This rank of the run.
        total_steps: Steps of the run; None if they are not known.
        progress: Progress of the run.
    """

    def __init__(self, run: MonitoredRun, total_steps: int | None, progress: Progress) -> None:
        assert run.directory is not None
        assert run.session is not None
        assert run.publisher is not None
        self._alive = None if run.has_lock else SignOfLife(run.directory)
        self._file = RunFile(
            run.directory,
            run.session,
            total_steps,
            progress,
            run.publisher,
            partial(summarise, run.directory, run.session, total_steps, progress),
        ).__enter__()

    @property
    def failures(self) -> int:
        """Number of times that a file could not be written."""
        return self._file.failures

    def close(self) -> None:
        """Ends the upkeep, before the reporter is closed."""
        self._file.close()

    def write_end(self, error: BaseException | None, reported: ReporterStatus | None) -> None:
        """Writes how the run ended.

        Args:
            error: What ended the loop; None if it came to its end.
            reported: Last status of the reporter; None if it did not tell.

        Raises:
            OSError, RaymonError: It is not written.
        """
        status, text = how_it_ended(error)
        try:
            with_verdict(
                self._file.summarise(status, reported or self._file.reported, text)
            ).write()
        finally:
            if self._alive is not None:
                self._alive.end()


def how_it_ended(error: BaseException | None) -> tuple[str, str | None]:
    """Returns the status of a loop that ended, and in a line what ended it if it failed."""
    if error is None:
        return DONE, None
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return INTERRUPTED, None
    return FAILED, reason(error)


def what_ends(is_whole: bool | None) -> BaseException | None:
    """Returns the exception that ends a loop whose monitor is closed without being told.

    Args:
        is_whole: Whether all steps were made; None if this is unknown.

    Returns:
        The exception that ends this process, or which is being handled before all steps were made;
        None if there is none.
    """
    found = getattr(sys, "last_value", None)
    if isinstance(found, BaseException):
        return found
    # A loop may end by an exception of its own that is no failure.
    return sys.exception() if is_whole is False else None
