"""The recorder of one rank: what the training thread touches of monitoring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from raymon.metrics import TrainMetricWrapper
from raymon.recorder.background_updates import ROWS_AN_UPDATE, BackgroundUpdates
from raymon.recorder.failures import Failures
from raymon.recorder.offload import Offload
from raymon.recorder.outbox import Outbox
from raymon.recorder.phase_clock import PhaseClock
from raymon.recorder.schedule import CutSchedule
from raymon.recorder.step_scalars import StepScalars
from raymon.recorder.window import Window
from raymon.wire import Layout


class Recorder:
    """Adds up what a rank measures, and hands a window to the outbox at every cut.

    Nothing here waits: no collective, no synchronisation with a device, no call to Ray, no file.
    Train metrics are updated by the outbox's thread; here their arguments are only kept. What
    fails is counted in `failures` and never raises into training.

    Args:
        attempt: Number of the attempt that the reporter gave.
        rank: This worker among its world.
        metrics: The train metrics by name; the reporter folds them from now on.
        update_train_metric: Called with the predictions and the batch of each step.
        log_step_count_steps: Steps between two cuts.
        outbox: Takes the windows.
        device: Of the model.
        first_step: The step that training goes on from.
        take_input_counts: Gives, by name, what was wrong with the data and was only counted, since
            it was called last.
        take_save_counts: Gives, by name, what became of saves of which there is no checkpoint,
            since it was called last.
        clock: Where the time of steps goes; None for one of its own, which begins now.
    """

    def __init__(
        self,
        *,
        attempt: int,
        rank: int,
        metrics: Mapping[str, TrainMetricWrapper],
        update_train_metric: Callable[[Any, Any], None],
        log_step_count_steps: int,
        outbox: Outbox,
        device: torch.device,
        first_step: int = 0,
        take_input_counts: Callable[[], Mapping[str, int]] = dict,
        take_save_counts: Callable[[], Mapping[str, int]] = dict,
        clock: PhaseClock | None = None,
    ) -> None:
        self._attempt = attempt
        self._rank = rank
        self._metrics = metrics
        self._update_train_metric = update_train_metric
        self._outbox = outbox
        self._take_input_counts = take_input_counts
        self._take_save_counts = take_save_counts
        self._schedule = CutSchedule(
            [log_step_count_steps, *(metric.decay_step for metric in metrics.values())]
        )
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._layout = Layout.of_metrics(metrics)
        self._extremes = {name: metric.extremes for name, metric in metrics.items()}
        for metric in metrics.values():
            metric.hand_over()
        self.clock = PhaseClock() if clock is None else clock
        self._failures = Failures()
        self._index = 0
        self._learning_rates: Sequence[float] = ()
        self._first_step = self._step = first_step
        self.next_cut = self._schedule.next_cut(first_step)
        self._start_window()

    def step(
        self,
        losses: Mapping[str, torch.Tensor],
        predictions: Any,
        batch: Any,
        *,
        samples: int,
        weights: Mapping[str, torch.Tensor] | float,
        epoch: int = 0,
        learning_rates: Sequence[float] = (),
    ) -> None:
        """Adds one step, and cuts the window where one ends.

        Args:
            losses: By name, scalars on the device: weighted means over the rows of this rank.
            predictions, batch: For `update_train_metric`.
            samples: Rows of this rank.
            weights: What the losses weigh in the mean over ranks and steps: the rows, or by name
                their sums of sample weights.
            epoch: The epoch of the step, from 0.
            learning_rates: By parameter group.
        """
        self.clock.lap("step")
        try:
            for name, loss in losses.items():
                if name not in self._losses:
                    self._losses[name], self._weights[name] = StepScalars(), StepScalars()
                self._losses[name].add(loss)
                self._weights[name].add(weights if isinstance(weights, float) else weights[name])
            if samples:
                self._update_train_metric(predictions, batch)
            for metric in self._metrics.values():
                if metric.waiting_rows >= ROWS_AN_UPDATE:
                    self._outbox.work(
                        BackgroundUpdates(metric, self._stream, self.count_failure).add
                    )
        except Exception as error:
            self.count_failure(error)
        self._samples += samples
        self._epoch = epoch
        self._learning_rates = learning_rates
        self._step += 1
        if self._step >= self.next_cut:
            self.cut()
        self.clock.lap("monitor")

    def add_gradient_norms(self, norms: Mapping[str, torch.Tensor]) -> None:
        """Norms of this window by name, scalars on the device."""
        self._gradient_norms.update({name: norm.detach() for name, norm in norms.items()})

    def add_histogram(self, name: str, histogram: Mapping[str, torch.Tensor]) -> None:
        """A histogram of this window, as `HistogramCounter.count` gives it."""
        self._histograms[name] = histogram

    def cut(self, checkpoint: bool = False, last: bool = False) -> None:
        """Ends the window here, if it has a step, and hands it to the outbox.

        Args:
            checkpoint: A checkpoint is made of the state after this step; then a window is sent
                even when it has no step.
            last: This rank makes no more steps, so that the others are not kept waiting for it,
                however many they make. A window is sent then too.
        """
        if self._step > self._first_step or checkpoint or last:
            self._hand_over(checkpoint, last)

    def greet(self) -> None:
        """Sends a window of no step, behind what was sent again of earlier attempts: the reporter
        closes those once it has heard every rank, and this one may make no step any more."""
        self._hand_over()

    def close(self, timeout_s: float = 30.0) -> bool:
        """Sends the rest, for at most `timeout_s` seconds; true when all windows arrived."""
        self.cut()
        return self._outbox.close(timeout_s)

    def _hand_over(self, checkpoint: bool = False, last: bool = False) -> None:
        try:
            self._outbox.put(self._take_window(checkpoint, last))
        except Exception as error:
            self.count_failure(error)
        self._index += 1
        self._first_step = self._step
        self.next_cut = self._schedule.next_cut(self._step)
        self._start_window()

    def _start_window(self) -> None:
        self._samples = 0
        self._epoch = 0
        self._losses: dict[str, StepScalars] = {}
        self._weights: dict[str, StepScalars] = {}
        self._learning_rates = ()
        self._gradient_norms: dict[str, torch.Tensor] = {}
        self._histograms: dict[str, Mapping[str, torch.Tensor]] = {}

    def _take_window(self, checkpoint: bool, last: bool) -> Window:
        phases = self.clock.take()
        wall_s = sum(phases.values())
        stream = self._stream
        if stream is not None:
            # What is done on it for this window comes behind what computes the window.
            stream.wait_stream(torch.cuda.current_stream(stream.device))
        return Window(
            attempt=self._attempt,
            rank=self._rank,
            index=self._index,
            first_step=self._first_step,
            end_step=self._step,
            samples=self._samples,
            epoch=self._epoch,
            wall_s=wall_s,
            phases=phases,
            losses={name: losses.take(stream) for name, losses in self._losses.items()},
            weights={name: weights.take(stream) for name, weights in self._weights.items()},
            metrics={
                name: BackgroundUpdates(metric, stream, self.count_failure)
                for name, metric in self._metrics.items()
            },
            layout=self._layout,
            learning_rates=tuple(self._learning_rates),
            gradient_norms=Offload(self._gradient_norms, stream) if self._gradient_norms else None,
            histograms={name: Offload(h, stream) for name, h in self._histograms.items()},
            extremes=self._extremes,
            checkpoint=checkpoint,
            last=last,
            take_failures=self._failures.take,
            input_counts=self._take_input_counts(),
            save_counts=self._take_save_counts(),
        )

    def count_failure(self, error: Exception) -> None:
        """Counts a failure of monitoring; each reason is logged once."""
        self._failures.add(error)

    @property
    def failures(self) -> int:
        """Failures of monitoring so far."""
        return self._failures.count
