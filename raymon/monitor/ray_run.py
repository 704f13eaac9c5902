"""The reporter of a run of Ray Train whose loop is not raymon's own."""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path
from typing import Any

import ray
import ray.train
from ray.train.collective import broadcast_from_rank_zero
from ray.train.v2._internal.execution.context import get_train_context

from raymon.errors import RunError, UserError
from raymon.monitor.run import RunSettings, first_step_of, make_reporter
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.reporter import NewsSource
from raymon.reporter.on_ray import RayReporter, TreeReporter, reporter_of, start_reporter
from raymon.results import ReporterStatus
from raymon.run_dir import check_writable
from raymon.storage import ObjectPath, StoragePath, with_few_tries, write_whole
from raymon.wire import Channel

_log = logging.getLogger("raymon")

_RUN = "monitor/ray_run"
"""File with the name that Ray Train gives to each run."""

_CLOSE_S = 5.0
"""Seconds that the reporter has to close in any case."""

_LAST_ANSWERS_S = 1.0
"""Seconds after which all ranks have heard that their last windows are durable."""


class RayRun:
    """A worker of Ray Train, and its way to the `ReportingActor` of the run.

    Rank 0 starts the actor, is the one who asks it for news, and ends it.

    Args:
        rank, world_size: Of this worker.
        attempt: Number that the reporter gave to these workers.
        directory: Where the numbers are written to.
        reporter: The way to the actor.
        channel: The way for windows.
    """

    def __init__(
        self,
        rank: int,
        world_size: int,
        attempt: int,
        directory: StoragePath,
        reporter: RayReporter,
        channel: Channel,
    ) -> None:
        self.rank = rank
        self.attempt = attempt
        self.directory: StoragePath | None = directory
        self.channel = channel
        self.publisher: NewsSource | None = reporter if rank == 0 else None
        self.world_size = world_size
        self._reporter = reporter

    def close(self, deadline: float) -> ReporterStatus | None:
        """As `OpenRun.close`."""
        if self.rank > 0:
            return None
        while self._ended() < self.world_size and time.monotonic() < deadline:
            time.sleep(0.05)
        return self._reporter.close(max(_CLOSE_S, deadline - time.monotonic()))

    def end(self) -> None:
        """As `OpenRun.end`."""
        if self.rank == 0:
            if self.world_size > 1:
                time.sleep(_LAST_ANSWERS_S)
            self._reporter.stop()

    def _ended(self) -> int:
        try:
            asked = self._reporter.actor.status.remote()
            status: ReporterStatus = ray.get(asked, timeout=_CLOSE_S)
        except ray.exceptions.RayError:  # it starts anew
            return 0
        return status.ranks_ended


def open_ray_run(settings: RunSettings) -> RayRun | None:
    """As `open_run`, in a worker of Ray Train. All ranks call it, on the thread that trains."""
    context = ray.train.get_context()
    rank, world_size = context.get_world_rank(), context.get_world_size()
    run, directory = _place(settings, context)
    begun = _begin(settings, run, directory, world_size) if rank == 0 else None
    attempt, refused = broadcast_from_rank_zero(begun)
    if refused:
        raise RunError(refused)
    if not attempt:
        return None
    actor = reporter_of(run)
    tree = TreeReporter(actor, MonitorConfig())
    channel = tree.channel(attempt, world_size, settings.metrics)
    return RayRun(rank, world_size, attempt, directory, RayReporter(actor, run), channel)


def _begin(
    settings: RunSettings, run: str, directory: StoragePath, world_size: int
) -> tuple[int, str]:
    """The number of the attempt, or 0 and why there is none if the user can do something."""
    try:
        check_writable(directory)
        step = first_step_of(settings, None if _were_here(directory) else directory)
        # Where workers were here before, it goes on from what theirs kept.
        reporter = start_reporter(run, make_reporter(settings, directory), use_prometheus=True)
        token = uuid.uuid4().hex
        attempt = reporter.begin_attempt(token, world_size, step, settings.prototypes())
        write_whole(directory / _RUN, _run_id().encode())
        return attempt, ""
    except UserError as error:
        return 0, str(error)
    except Exception as error:  # a run goes on without its reporter
        _log.warning("monitoring is off: %s: %s", type(error).__name__, error)
        return 0, ""


def _were_here(directory: StoragePath) -> bool:
    """Whether workers of the same run, which Ray Train started again, wrote to a directory."""
    try:
        return (directory / _RUN).read_text() == _run_id()
    except (OSError, UnicodeDecodeError):
        return False


def _run_id() -> str:
    return str(get_train_context().train_run_context.run_id)


def _place(settings: RunSettings, context: Any) -> tuple[str, StoragePath]:
    """The name of the run, and the directory that it writes to."""
    given = settings.model_dir
    if isinstance(given, Path) and not given.is_absolute():
        raise RunError(
            f"model_dir: {given}: has to be an absolute path in a worker of Ray Train, whose "
            "working directory is its own"
        )
    directory = (given or directory_in_ray(context.get_storage())) / (settings.name or "")
    return str(directory), directory


def directory_in_ray(storage: Any) -> StoragePath:
    """The directory of the run in the storage that Ray Train has."""
    path, filesystem = storage.experiment_fs_path, storage.storage_filesystem
    if filesystem.type_name == "local":
        return Path(path)
    return ObjectPath(with_few_tries(filesystem), path, f"{filesystem.type_name}://{path}")
