"""A run whose loop is not raymon's own: what is measured, where it goes, and who it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from raymon.errors import RunError
from raymon.metrics import TrainMetricWrapper
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.reporter import NewsSource, Reporter, last_step_kept
from raymon.results import ReporterStatus
from raymon.sinks import BackgroundSink, Sink, TensorBoard, WindowLines
from raymon.storage import StoragePath
from raymon.wire import Channel

Metrics = Mapping[str, TrainMetricWrapper]


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
    publisher: NewsSource | None

    def close(self, deadline: float) -> ReporterStatus | None:
        """Closes the reporter when every rank has made its last step, or at a deadline in seconds
        of the monotonic clock.

        Returns:
            The last status of the reporter; None where another rank closes it.
        """

    def end(self) -> None:
        """Lets go of the reporter, after its last news were read."""


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
