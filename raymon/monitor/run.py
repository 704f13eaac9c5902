"""A run with a custom training loop: what is measured, where it goes, and which rank this is."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from raymon.diagnosis import Check, checks_of
from raymon.errors import RunError
from raymon.metrics import TrainMetricWrapper
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.reporter import (
    Reporter,
    RunLink,
    Session,
    last_step_kept,
)
from raymon.results import ReporterStatus, RunEnded
from raymon.sinks import (
    AlertLines,
    BackgroundSink,
    EvaluationLines,
    EvaluationRecords,
    OpenTelemetry,
    RankLines,
    Sink,
    TensorBoard,
    TrackedRun,
    WindowLines,
    bound,
)
from raymon.storage import StoragePath
from raymon.wire import Channel

Metrics = Mapping[str, TrainMetricWrapper]


@dataclass(frozen=True)
class RunSettings:
    """What is measured, and where it goes.

    Attributes:
        metrics: Train metrics by name.
        model_dir: Directory of the run; None for the one that Ray Train gives, if there is one.
        name: Name of this monitor where the run has several, each in a directory of that name; None
            for the only one.
        log_step_count_steps: Steps that one point of the curves covers.
        use_tensorboard: Whether TensorBoard events are written too.
        first_step: Step that the run continues from; None for a new run.
        total_steps: Steps of the run; None if they are not known.
        sinks: Sinks of the user's own.
        predictions: Name of the prediction that each metric is of, by the name of the metric; empty
            if a step has but one.
    """

    metrics: Metrics
    model_dir: StoragePath | None
    name: str | None
    log_step_count_steps: int
    use_tensorboard: bool
    first_step: int | None
    total_steps: int | None = None
    sinks: Sequence[Sink] = ()
    predictions: Mapping[str, str] = field(default_factory=dict)

    def prototypes(self) -> dict[str, TrainMetricWrapper]:
        """Returns copies of the metrics on the CPU, as a reporter may be where there is no GPU."""
        return {name: copy.deepcopy(metric).cpu() for name, metric in self.metrics.items()}


class MonitoredRun(Protocol):
    """A rank of a run, and its connection to the reporter.

    Attributes:
        rank: Rank of this process among those whose numbers the reporter adds up.
        world_size: Number of those ranks.
        attempt: Number that the reporter gave to these workers; 0 if the channel fills it in.
        directory: Directory that the numbers are written to; None if nothing is written.
        channel: Connection for windows.
        publisher: Reporter that this rank polls for news; None if another rank shows them.
        session: The session that begins in the directory; None if this rank writes nothing there.
        has_lock: Whether the directory is locked, so that its lease says that the run is alive.
    """

    rank: int
    world_size: int
    attempt: int
    directory: StoragePath | None
    channel: Channel
    publisher: RunLink | None
    session: Session | None
    has_lock: bool

    def begin_close(self) -> None:
        """Is told that this rank makes no more steps, before it sends what is left."""

    def close(self, deadline: float, ended: RunEnded) -> ReporterStatus | None:
        """Closes the reporter once every rank has made its last step.

        Args:
            deadline: Time to close it at the latest, in seconds of the monotonic clock.
            ended: How the run ended.

        Returns:
            The last status of the reporter; None if another rank closes it.
        """

    def end(self) -> None:
        """Releases the reporter, after its last news was read."""


def make_reporter(
    settings: RunSettings, directory: StoragePath | None, checks: Sequence[Check] = ()
) -> Reporter:
    """Makes the reporter of a run, with its sinks.

    Args:
        settings: Settings of the run.
        directory: Directory that it writes to; None to write nothing.
        checks: Checks of the run besides those of the numbers.
    """
    run = TrackedRun() if directory is None else TrackedRun(str(directory), directory.name)
    sinks: list[Sink] = bound(settings.sinks, run)
    if directory is not None:
        for sink in settings.sinks:
            if isinstance(sink, OpenTelemetry):
                sink.use_directory(directory)
        sinks += [
            WindowLines(directory),
            RankLines(directory),
            EvaluationLines(directory),
            EvaluationRecords(directory),
            AlertLines(directory),
        ]
        if settings.use_tensorboard:
            sinks.append(TensorBoard(directory, ("loss", "learning_rate")))
    return Reporter(
        directory,
        [BackgroundSink(sink) for sink in sinks],
        settings.log_step_count_steps,
        MonitorConfig().late_after_s,
        checks=[*checks_of(MonitorConfig(), settings.total_steps), *checks],
    )


def first_step_of(settings: RunSettings, directory: StoragePath | None) -> int:
    """Returns the step that a run continues from; 0 for a new run.

    Args:
        settings: Settings of the run.
        directory: Directory that may have the numbers of an earlier run; None if it does not
            matter.

    Raises:
        RunError: A new run would take back the numbers of another one.
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
