"""The reporter of a run whose loop is not raymon's own."""

from __future__ import annotations

import copy
import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch.distributed as dist

from raymon.errors import RunError
from raymon.metrics import TrainMetricWrapper
from raymon.monitor import Channel
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.reporter import InProcessReporter, Reporter, last_step_kept
from raymon.sinks import BackgroundSink, Sink, TensorBoard, WindowLines
from raymon.storage import StoragePath, absolute
from raymon.training.progress import Publisher
from raymon.training.run_lock import RunLock

Metrics = Mapping[str, TrainMetricWrapper]

_written: set[StoragePath] = set()
"""Directories that runs of this process write to."""


@dataclass(frozen=True)
class RunSettings:
    """What is measured, and where it goes.

    Attributes:
        metrics: The train metrics by name.
        model_dir: Directory of the run; None for the one that it has anyway, if it has one.
        name: Of one of several monitors of the run, which then has a directory in that of the run.
        log_step_count_steps: Steps that a point on the curves covers.
        use_tensorboard: Whether there are TensorBoard events too.
        first_step: The step that the run goes on from; None for a run that begins.
    """

    metrics: Metrics
    model_dir: StoragePath | None
    name: str | None
    log_step_count_steps: int
    use_tensorboard: bool
    first_step: int | None

    def prototypes(self) -> dict[str, TrainMetricWrapper]:
        """Copies of the metrics for a reporter, which may be where there is no GPU."""
        return {name: copy.deepcopy(metric).cpu() for name, metric in self.metrics.items()}


class OpenRun(Protocol):
    """A rank of a run, and its way to the reporter.

    Attributes:
        rank, world_size: Whose numbers the reporter puts together.
        attempt: Number that the reporter gave to these workers.
        directory: Where the numbers are written to; None for nowhere.
        channel: The way for windows.
        publisher: Whom this rank asks for news; None where another one shows them.
    """

    rank: int
    world_size: int
    attempt: int
    directory: StoragePath | None
    channel: Channel
    publisher: Publisher | None

    def close(self, deadline: float) -> Mapping[str, Any] | None:
        """Closes the reporter when every rank has made its last step, or at a deadline in seconds
        of the monotonic clock.

        Returns:
            The last status of the reporter; None where another rank closes it.
        """

    def end(self) -> None:
        """Lets go of the reporter, after its last news were read."""


def open_run(settings: RunSettings) -> OpenRun | None:
    """Finds or starts the reporter of this run; None where it cannot be reached.

    In a worker of Ray Train every rank has to call it.

    Raises:
        UserError: `model_dir` cannot be written to, or is written to by another run.
    """
    if in_ray_train():
        from raymon.training.open_ray_run import open_ray_run

        return open_ray_run(settings)
    return LocalRun(settings)


def in_ray_train() -> bool:
    """Whether this process is a worker that Ray Train started."""
    # A worker has imported it; nobody else should have to.
    train = sys.modules.get("ray.train")
    if train is None:
        return False
    try:
        return train.get_context().get_storage() is not None
    except Exception:  # outside of a worker, and in one that is no process of its own
        return False


def make_reporter(settings: RunSettings, directory: StoragePath | None) -> Reporter:
    """The reporter of a run, with its sinks.

    Args:
        settings: Of the run.
        directory: Where it writes; None for nowhere.
    """
    sinks: list[Sink] = []
    if directory is not None:
        sinks.append(WindowLines(directory))
        if settings.use_tensorboard:
            sinks.append(TensorBoard(directory, ("loss", "learning_rate")))
    return Reporter(
        directory,
        [BackgroundSink(sink) for sink in sinks],
        settings.log_step_count_steps,
        MonitorConfig().late_after_s,
    )


def first_step_of(settings: RunSettings, directory: StoragePath | None) -> int:
    """The step that a run goes on from.

    Args:
        settings: Of the run.
        directory: With what was kept of a run before it; None where nobody looks at that.

    Raises:
        RunError: A run that begins would take back the numbers of another one.
    """
    if settings.first_step is not None or directory is None:
        return settings.first_step or 0
    kept = last_step_kept(directory)
    if kept > 0:
        raise RunError(
            f"{directory}: has the numbers of a run up to step {kept}; pass first_step={kept} to "
            "go on behind them, first_step=0 to take them back and begin anew, or another model_dir"
        )
    return 0


class LocalRun:
    """A run of this process alone, with a reporter in it.

    Raises:
        UserError: As `open_run`.
    """

    def __init__(self, settings: RunSettings) -> None:
        prototypes = settings.prototypes()
        self.rank, self.world_size = 0, 1
        # Another process of the same world would write to the same files.
        first = process_rank() == 0
        self._lock: RunLock | None = None
        self.directory = self._claim(settings) if first else None
        try:
            step = first_step_of(settings, self.directory)
            self._reporter = InProcessReporter(make_reporter(settings, self.directory))
            self.channel: Channel = self._reporter
            self.publisher: Publisher | None = self._reporter if first else None
            self.attempt = self._reporter.begin_attempt(uuid.uuid4().hex, 1, step, prototypes)
        except BaseException:
            self.end()
            raise

    def close(self, deadline: float) -> Mapping[str, Any] | None:
        """As `OpenRun.close`."""
        return self._reporter.close()

    def end(self) -> None:
        """As `OpenRun.end`."""
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


_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),  # torchrun, and what starts processes as it does
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # mpirun of Open MPI
    ("PMI_RANK", "PMI_SIZE"),  # mpirun of MPICH and Intel MPI
    ("SLURM_PROCID", "SLURM_NTASKS"),  # srun
)
"""Variables in which a launcher tells a process its rank, and how many there are."""


def process_rank() -> int:
    """The rank of this process where processes train together, 0 where they do not."""
    return _place_in_world()[0]


def process_count() -> int:
    """How many processes train together."""
    return _place_in_world()[1]


def _place_in_world() -> tuple[int, int]:
    if dist.is_available() and dist.is_initialized():
        return int(dist.get_rank()), int(dist.get_world_size())
    # Before there is a process group, who started the processes knows.
    for rank, size in _LAUNCHERS:
        given = os.environ.get(rank, ""), os.environ.get(size, "")
        if all(number.isdecimal() for number in given) and int(given[0]) < int(given[1]):
            return int(given[0]), int(given[1])
    return 0, 1
