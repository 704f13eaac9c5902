"""The sink that writes TensorBoard events, the curves of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from pathlib import Path

from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.summary import histogram_raw, scalar

from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.results import Alert, Evaluation, Snapshot
from raymon.sinks.curves import evaluation_curves, training_curves
from raymon.sinks.tensorboard.event_files import EventFiles
from raymon.sinks.tensorboard.event_objects import EventObjects
from raymon.sinks.tensorboard.run_card import RunCard, alert_summary
from raymon.storage import StoragePath

EVALUATION_DIRECTORY = "eval_val"
"""Directory of the events of evaluations, in the directory of the run."""

ALERTS_DIRECTORY = "alerts"
"""Directory of the events of alerts, in the directory of the run."""

MAX_BYTES = MonitorConfig().events_max_mb * 1_000_000
"""The limit of a run that has no config."""


class TensorBoard:
    """Writes snapshots into `model_dir`; evaluations and alerts into `eval_val` and `alerts` there.

    Tags: `loss/{name}`, `loss/total`, `lr/g{i}`, `metric/{name}`, `scalar/{name}`,
    `global_gradient_norm`, `{parameter}/gradient_norm`, the histograms `{parameter}` and
    `{parameter}/gradient`,
    `throughput/samples_per_second`, `phase/{name}`, `memory/host_bytes`, `memory/device_bytes`,
    `memory/device_allocated_bytes`, `memory/device_reserved_bytes`, `device_utilization`,
    `grad_scaler/skipped_steps`, `grad_scaler/loss_scale` and `table/{table}/{figure}`. Evaluations
    have `loss/{name}`, `loss/total` and `metric/{name}`, so that each lies on one chart with that
    of training. Texts: `config`, with the first points of training, and `alert/{kind}`. The
    hyperparameters are with the first points of evaluation, which are so their metrics.

    All points of a step are one event, so that a write that failed leaves none of them.

    Args:
        model_dir: Directory of the run.
        summaries: Which of `loss` and `learning_rate` are written; the other summaries are written
            when a snapshot has them.
        max_bytes: Bytes of the events of training above which those that are older than a day are
            thinned; the same for those of evaluations.
        clock: Time in seconds since 1970.
        card: What is known of the run before it begins.
    """

    def __init__(
        self,
        model_dir: StoragePath,
        summaries: Collection[str],
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
        card: RunCard | None = None,
    ) -> None:
        self._summaries = frozenset(summaries)
        self._card = card or RunCard()
        self._clock = clock
        self._train = _events(model_dir, max_bytes, clock)
        self._evaluation = _events(model_dir / EVALUATION_DIRECTORY, max_bytes, clock)
        # What was wrong was so, whatever became of the steps: nothing of it is taken back.
        self._alerts = _events(model_dir / ALERTS_DIRECTORY, max_bytes, clock, purges=False)
        # Steps whose events have the config and the hyperparameters; None if they have to be
        # written.
        self._config_step: int | None = None
        self._hparams_step: int | None = None

    def write(self, snapshot: Snapshot) -> None:
        """Adds a point to every curve of training, at `end_step`.

        A value that is not finite leaves a gap.
        """
        summary = _scalars(dict(training_curves(snapshot, self._summaries)))
        for histogram in snapshot.histograms:
            if histogram.counts:
                summary.MergeFrom(
                    histogram_raw(
                        histogram.name,
                        min=histogram.minimum,
                        max=histogram.maximum,
                        num=sum(histogram.counts),
                        sum=histogram.sum,
                        sum_squares=histogram.sum_squares,
                        bucket_limits=list(histogram.edges[1:]),
                        # Integers would take protobuf three times as long.
                        bucket_counts=list(map(float, histogram.counts)),
                    )
                )
        if self._config_step is None:
            summary.MergeFrom(self._card.config_summary())
        self._train.add(summary, snapshot.end_step)
        if self._config_step is None:
            self._config_step = snapshot.end_step

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Adds a point to every curve of evaluation, at the step of the model."""
        summary = _scalars(evaluation_curves(evaluation, self._card.losses))
        if self._hparams_step is None:
            summary.MergeFrom(self._card.hparams_summary(self._clock()))
        self._evaluation.add(summary, evaluation.step)
        if self._hparams_step is None:
            self._hparams_step = evaluation.step

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        taken: list[str] = []
        for events in (self._train, self._evaluation, self._alerts):
            if isinstance(events, EventFiles):
                taken += events.notices
                events.notices = []
        return taken

    def write_alert(self, alert: Alert) -> None:
        """Adds the begin or the end of what is wrong to the texts, at its step."""
        self._alerts.add(alert_summary(alert), alert.step)

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Hides what is on the curves of later steps.

        Args:
            step: Step after which training is hidden.
            evaluation_step: Step after which evaluations are hidden.
        """
        self._train.purge(step + 1)
        self._evaluation.purge(evaluation_step + 1)
        if self._config_step is not None and self._config_step > step:
            self._config_step = None
        if self._hparams_step is not None and self._hparams_step > evaluation_step:
            self._hparams_step = None

    def flush(self) -> None:
        """Writes the events that were gathered."""
        self._train.flush()
        self._evaluation.flush()
        self._alerts.flush()

    def close(self) -> None:
        """Writes what is left."""
        self.flush()


def _events(
    directory: StoragePath, max_bytes: int, clock: Callable[[], float], *, purges: bool = True
) -> EventFiles | EventObjects:
    if isinstance(directory, Path):
        return EventFiles(directory, max_bytes, clock)
    return EventObjects(directory, max_bytes, clock, purges=purges)


def _scalars(values: dict[str, float]) -> Summary:
    summary = Summary()
    for tag, value in values.items():
        # For a value that is not finite tensorboardX would print a warning without its name.
        if math.isfinite(value):
            summary.MergeFrom(scalar(tag, value))
    return summary
