"""A run of Ray Train with a custom training loop: its rank, and its reporter."""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path
from typing import Any

import ray
import ray.train
from ray.train.collective import broadcast_from_rank_zero

from raymon import ray_internals
from raymon.errors import RunError, UserError
from raymon.monitor.run import RunSettings, first_step_of, make_reporter
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.reporter import RunLink, Session, begin_summary, find_session
from raymon.reporter.on_ray import RayReporter, TreeReporter, reporter_of, start_reporter
from raymon.results import ReporterStatus, RunEnded
from raymon.run_dir import check_writable
from raymon.storage import ObjectPath, StoragePath, with_few_tries, write_whole
from raymon.wire import Channel

_log = logging.getLogger("raymon")

_RUN = "monitor/ray_run"
"""File with the name that Ray Train gives to each run."""

_CLOSE_S = 5.0
"""Seconds that the reporter has to close at least, even past the deadline."""

_LAST_ANSWERS_S = 1.0
"""Seconds after which all ranks know that their last windows are durable."""


class RayRun:
    """A worker of Ray Train, and its connection to the `ReportingActor` of the run.

    Implements `MonitoredRun`. Rank 0 starts the actor, asks it for news, and ends it.

    Args:
        rank: Rank of this worker.
        world_size: Number of workers.
        attempt: Number that the reporter gave to these workers.
        directory: Directory that the numbers are written to.
        reporter: Connection to the actor.
        channel: Connection for windows.
        session: The session that begins, on rank 0.
    """

    def __init__(
        self,
        rank: int,
        world_size: int,
        attempt: int,
        directory: StoragePath,
        reporter: RayReporter,
        channel: Channel,
        session: Session | None = None,
    ) -> None:
        self.rank = rank
        self.session = session
        self.has_lock = False
        self.attempt = attempt
        self.directory: StoragePath | None = directory
        self.channel = channel
        self.publisher: RunLink | None = reporter if rank == 0 else None
        self.world_size = world_size
        self._reporter = reporter

    def begin_close(self) -> None:
        """Does nothing: Ray Train ends workers that never come; see `MonitoredRun.begin_close`."""

    def close(self, deadline: float, ended: RunEnded) -> ReporterStatus | None:
        """Closes the reporter after the last window of every rank; see `MonitoredRun.close`."""
        if self.rank > 0:
            return None
        while self._ranks_ended() < self.world_size and time.monotonic() < deadline:
            time.sleep(0.05)
        return self._reporter.close(ended, max(_CLOSE_S, deadline - time.monotonic()))

    def end(self) -> None:
        """Stops the actor, on rank 0; see `MonitoredRun.end`."""
        if self.rank == 0:
            if self.world_size > 1:
                time.sleep(_LAST_ANSWERS_S)
            self._reporter.stop()

    def _ranks_ended(self) -> int:
        try:
            asked = self._reporter.actor.status.remote()
            status: ReporterStatus = ray.get(asked, timeout=_CLOSE_S)
        except ray.exceptions.RayError:  # it is restarting
            return 0
        return status.ranks_ended


def join_ray_run(settings: RunSettings) -> RayRun | None:
    """Does what `find_run` does, in a worker of Ray Train.

    All ranks call it, on the thread that trains.
    """
    context = ray.train.get_context()
    rank, world_size = context.get_world_rank(), context.get_world_size()
    run, directory = _name_and_directory(settings, context)
    begun, session = None, None
    if rank == 0:
        *begun, session = _begin(settings, run, directory, world_size)
    attempt, refused = broadcast_from_rank_zero(begun)
    if refused:
        raise RunError(refused)
    if not attempt:
        return None
    actor = reporter_of(run)
    tree = TreeReporter(actor, MonitorConfig())
    channel = tree.channel(attempt, world_size, settings.metrics)
    return RayRun(rank, world_size, attempt, directory, RayReporter(actor, run), channel, session)


def _begin(
    settings: RunSettings, run: str, directory: StoragePath, world_size: int
) -> tuple[int, str, Session | None]:
    """Begins an attempt; called on rank 0.

    Returns:
        The number of the attempt, 0 if there is none; why, if the user can do something about it;
        and the session.
    """
    try:
        check_writable(directory)
        is_restart = _is_restart(directory)
        step = first_step_of(settings, None if is_restart else directory)
        # Before what it had is taken back.
        session = find_session(directory, is_resumed=is_restart or step > 0)
        # After a restart of the workers, the reporter continues from what their reporter stored.
        reporter = start_reporter(run, make_reporter(settings, directory), use_prometheus=True)
        token = uuid.uuid4().hex
        attempt = reporter.begin_attempt(token, world_size, step, settings.prototypes())
        write_whole(directory / _RUN, ray_internals.train_run_id().encode())
        begin_summary(session, directory, settings.total_steps)
        return attempt, "", session
    except UserError as error:
        return 0, str(error), None
    except Exception as error:  # a run continues without its reporter
        _log.warning("monitoring is off: %s: %s", type(error).__name__, error)
        return 0, "", None


def _is_restart(directory: StoragePath) -> bool:
    """Returns whether workers of this run wrote here before Ray Train restarted them."""
    try:
        return (directory / _RUN).read_text() == ray_internals.train_run_id()
    except (OSError, UnicodeDecodeError):
        return False


def _name_and_directory(settings: RunSettings, context: Any) -> tuple[str, StoragePath]:
    """Returns the name of the run, and the directory that it writes to."""
    given = settings.model_dir
    if isinstance(given, Path) and not given.is_absolute():
        raise RunError(
            f"model_dir: {given}: has to be an absolute path in a worker of Ray Train, whose "
            "working directory is its own"
        )
    directory = (given or directory_in_ray(context.get_storage())) / (settings.name or "")
    return str(directory), directory


def directory_in_ray(storage: Any) -> StoragePath:
    """Returns the directory of the run in the storage that Ray Train has."""
    path, filesystem = storage.experiment_fs_path, storage.storage_filesystem
    if filesystem.type_name == "local":
        return Path(path)
    return ObjectPath(with_few_tries(filesystem), path, f"{filesystem.type_name}://{path}")
