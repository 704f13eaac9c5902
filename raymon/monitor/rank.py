"""The measurements of one rank of a custom training loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from raymon.metrics import CheckedMetric, TrainMetricWrapper, takes_weights
from raymon.monitor.columns import Columns, Rows, device_of
from raymon.monitor.named_rows import MetricsOf
from raymon.monitor.run import MonitoredRun, RunSettings
from raymon.monitor.scores import evaluation_of
from raymon.monitor.step_arguments import Losses, StepArguments
from raymon.recorder import (
    Failures,
    Heart,
    LoggedScalars,
    Outbox,
    PhaseClock,
    Recorder,
    ResourceWatch,
)
from raymon.results import MONITOR, STEP, CheckpointSaved
from raymon.wire import Ack

_log = logging.getLogger("raymon")

_HANG_AFTER_S = 300.0
"""Seconds that a rank promises at least for a step: what a loop does between two steps, such as an
evaluation, need not be told, and is no hang."""


class MonitoredRank:
    """Measures the steps of one rank.

    Measuring starts at the first step, whose tensors say which device is used.

    Args:
        run: The rank's connection to the reporter.
        settings: What is measured.

    Attributes:
        values: Decayed metrics of all ranks by name, as last published.
        clock: Clock of the training thread, by phase.
        scalars: Scalars that the user logs.
    """

    def __init__(self, run: MonitoredRun, settings: RunSettings) -> None:
        self._run = run
        self._settings = settings
        self._metrics_of = metrics_by_prediction(settings)
        self._weighted = {n for n, m in settings.metrics.items() if takes_weights(m.metric)}
        self._failures = Failures()
        self.scalars = LoggedScalars(self._failures.add)
        self._recorder: Recorder | None = None
        self._outbox: Outbox | None = None
        self._resources: ResourceWatch | None = None
        self._heart: Heart | None = None
        self.values: Mapping[str, float] = {}
        self.clock = PhaseClock()
        self.clock.enter(STEP)

    @property
    def failures(self) -> int:
        """Number of failures while windows were measured and sent."""
        return self._failures.count + (self._outbox.failures if self._outbox else 0)

    def step(
        self,
        losses: Losses,
        predictions: Columns | None,
        targets: Columns | None,
        weights: Columns | None,
        samples: int | None,
        epoch: int,
        learning_rates: Sequence[float],
    ) -> None:
        """Adds a step; the arguments are those of the public `Monitor.step`."""
        self.clock.enter(MONITOR)
        recorder = self._recorder or self._start(device_of(predictions, targets, losses))
        try:
            taken = StepArguments.of(
                losses, predictions, targets, weights, samples, epoch, self._metrics_of
            )
            for error in taken.errors:
                recorder.count_failure(error)
        except Exception as error:  # still a step: all ranks have to count the same steps
            recorder.count_failure(error)
            taken = StepArguments()
        recorder.step(
            taken.losses,
            taken.rows,
            None,
            samples=taken.samples,
            updates=bool(taken.rows),
            weights=taken.loss_weights,
            epoch=taken.epoch,
            learning_rates=learning_rates,
        )

    @property
    def steps(self) -> int:
        """Number of steps that the model has made."""
        return self.clock.step if self._recorder else self._settings.first_step or 0

    def checkpoint(self, path: str | None) -> None:
        """Marks that a checkpoint is made of the state after this step; see the public monitor."""
        if self._recorder is None or self._outbox is None:
            return
        self._recorder.cut(checkpoint=True)
        if self._run.rank == 0:
            saved = CheckpointSaved(self.steps, path, time.time(), 0.0)
            self._outbox.publish(lambda channel: channel.publish_checkpoint(saved))

    def evaluation(self, scores: Mapping[str, Tensor | float], step: int | None) -> None:
        """Publishes the scores of an evaluation, on rank 0; see the public `Monitor.evaluation`."""
        if self._run.rank == 0:
            self._recorder = self._recorder or self._start(torch.device("cpu"))
            assert self._outbox is not None
            at = self.steps if step is None else step
            wait = evaluation_of(scores, at, self._failures.add)
            if wait is not None:
                self._outbox.publish_evaluation(wait)

    def close(self, timeout_s: float) -> bool:
        """Marks the last step, and sends what is left for at most `timeout_s` seconds.

        Returns:
            Whether all windows became durable; a window needs those of the other ranks for the same
            steps.
        """
        recorder = self._recorder or self._start(torch.device("cpu"))
        assert self._outbox is not None
        recorder.cut(last=True)
        if self._heart is not None:
            self._heart.close()
        recorder.close(timeout_s)
        if self._resources is not None:
            self._resources.close()
        dropped = self._outbox.dropped
        if dropped and not self._outbox.is_stored:
            _log.warning(
                "monitoring: %d windows of rank %d are in the numbers and not stored: the storage "
                "of the run fails",
                dropped,
                self._run.rank,
            )
        elif dropped:
            _log.warning(
                "monitoring: %d windows of rank %d did not arrive, or wait for another rank",
                dropped,
                self._run.rank,
            )
        return dropped == 0

    def _start(self, device: torch.device) -> Recorder:
        metrics = self._settings.metrics
        for metric in metrics.values():
            _move(metric, device)
        self._resources = ResourceWatch(self._run.directory, device)
        self._outbox = Outbox(self._run.channel, self._take_ack, device, self._resources.levels)
        self._recorder = Recorder(
            attempt=self._run.attempt,
            rank=self._run.rank,
            metrics=metrics,
            update_train_metric=self._update,
            log_step_count_steps=self._settings.log_step_count_steps,
            outbox=self._outbox,
            device=device,
            first_step=self._settings.first_step or 0,
            clock=self.clock,
            failures=self._failures,
            scalars=self.scalars,
        )
        if self._run.world_size > 1:
            self._heart = Heart(
                self._run.channel,
                rank=self._run.rank,
                world_size=self._run.world_size,
                node_id="",
                clock=self.clock,
                waits=lambda: False,
                hang_after_s=_HANG_AFTER_S,
                attempt=self._run.attempt,
            )
        return self._recorder

    def _update(self, rows: Mapping[str, Rows], _: None) -> None:
        assert self._recorder is not None
        for name, metric in self._settings.metrics.items():
            own = rows.get(self._settings.predictions.get(name, ""))
            if own is None:
                continue
            try:
                if own.weights is not None and name in self._weighted:
                    metric.update(*own.columns, weights=own.weights)
                else:
                    metric.update(*own.columns)
            except Exception as error:  # a metric that fails costs only itself
                self._recorder.count_failure(error)

    def _take_ack(self, ack: Ack) -> None:
        self.values = ack.values
        for name, value in ack.values.items():
            self._settings.metrics[name].publish(value)


def metrics_by_prediction(settings: RunSettings) -> dict[str, MetricsOf]:
    """Returns the metrics of each prediction; the name is empty for metrics without one."""
    found: dict[str, MetricsOf] = {}
    for name, metric in settings.metrics.items():
        prediction = settings.predictions.get(name, "")
        names, take_both = found.get(prediction, MetricsOf((), False))
        take_both = take_both or isinstance(metric.metric, CheckedMetric)
        found[prediction] = MetricsOf((*names, name), take_both)
    return found


def _move(metric: TrainMetricWrapper, device: torch.device) -> None:
    """Moves a metric to a device without waiting for it."""
    if device.type != "cuda":
        metric.to(device)
        return

    def move(state: Tensor) -> Tensor:
        if state.device.type == "cpu":
            state = state.pin_memory()
        return state.to(device, non_blocking=True)

    # Annotated, because torch does not.
    apply: Callable[[Callable[[Tensor], Tensor]], object] = metric._apply
    apply(move)
