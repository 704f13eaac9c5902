"""A run whose reporter is in this process."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from raymon.diagnosis import Check
from raymon.errors import RunError
from raymon.monitor.launch import Launch
from raymon.monitor.launchers import process_rank
from raymon.monitor.run import RunSettings, first_step_of, make_reporter
from raymon.reporter import (
    InProcessReporter,
    RunLink,
    Session,
    begin_summary,
    find_session,
)
from raymon.results import ReporterStatus, RunEnded
from raymon.run_dir import RunLock
from raymon.storage import StoragePath, absolute
from raymon.wire import Channel

_written: set[StoragePath] = set()
"""Directories that runs of this process write to."""


class LocalRun:
    """A run whose reporter is in this process, which is alone, or the first of its group.

    Implements `MonitoredRun`.

    Args:
        settings: What is measured, and where it goes.
        world_size: Number of ranks whose numbers the reporter gets.
        checks: Checks of the run besides those of the numbers.
        launch: What is known of the launch of the ranks, which may be started again.

    Raises:
        UserError: `model_dir` cannot be written to, or another run writes to it.
    """

    def __init__(
        self,
        settings: RunSettings,
        world_size: int = 1,
        checks: Sequence[Check] = (),
        launch: Launch | None = None,
    ) -> None:
        prototypes = settings.prototypes()
        self.rank, self.world_size = 0, world_size
        # Another process of the same world would write to the same files.
        first = process_rank() == 0
        self._lock: RunLock | None = None
        self.has_lock = True
        self.directory = self._claim(settings) if first else None
        try:
            is_restart = launch is not None and launch.was_in(self.directory)
            self.first_step = first_step_of(settings, None if is_restart else self.directory)
            self.session: Session | None = None
            if self.directory is not None:
                # Before what it had is taken back.
                is_resumed = is_restart or self.first_step > 0
                self.session = find_session(self.directory, is_resumed=is_resumed)
            self.reporter = InProcessReporter(make_reporter(settings, self.directory, checks))
            self.channel: Channel = self.reporter
            self.publisher: RunLink | None = self.reporter if first else None
            self.attempt = self.reporter.begin_attempt(
                uuid.uuid4().hex, world_size, self.first_step, prototypes
            )
            if self.directory is not None and self.session is not None:
                begin_summary(self.session, self.directory, settings.total_steps)
                if launch is not None:
                    launch.write(self.directory)
        except BaseException:
            self.end()
            raise

    def begin_close(self) -> None:
        """Does nothing; see `MonitoredRun.begin_close`."""

    def close(self, deadline: float, ended: RunEnded) -> ReporterStatus | None:
        """Closes the reporter and returns its last status; see `MonitoredRun.close`."""
        return self.reporter.close(ended)

    def end(self) -> None:
        """Releases the lock on the directory; see `MonitoredRun.end`."""
        if self.directory is not None:
            _written.discard(self.directory)
        if self._lock is not None:
            self._lock.release()

    def _claim(self, settings: RunSettings) -> StoragePath | None:
        if settings.model_dir is None:
            return None
        directory = absolute(settings.model_dir) / (settings.name or "")
        if directory in _written:
            raise RunError(
                f"{directory}: another monitor of this process writes to it; close that first, or "
                "give this one a name"
            )
        self._lock = RunLock(directory)
        _written.add(directory)
        return directory
