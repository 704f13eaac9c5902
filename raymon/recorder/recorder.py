"""The recorder of one rank: what the training thread does for monitoring."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from raymon.errors import UserError
from raymon.metrics import TrainMetricWrapper
from raymon.recorder.background_lookups import BackgroundLookups
from raymon.recorder.background_updates import ROWS_AN_UPDATE, BackgroundUpdates
from raymon.recorder.failures import Failures
from raymon.recorder.logged_scalars import LoggedScalars, TakenScalars
from raymon.recorder.offload import Offload
from raymon.recorder.outbox import Outbox
from raymon.recorder.phase_clock import PhaseClock
from raymon.recorder.schedule import CutSchedule
from raymon.recorder.separate_updates import SeparateUpdates
from raymon.recorder.step_scalars import StepScalars
from raymon.recorder.table_lookups import TableLookups
from raymon.recorder.window import States, Window
from raymon.results import MONITOR, STEP, STEP_PHASES
from raymon.wire import Layout


class Recorder:
    """Adds up what a rank measures, and gives a window to the outbox at every cut.

    Nothing here waits: no collective, no synchronisation with a device, no call to Ray, no file.
    The thread of the outbox updates the train metrics; the training thread only keeps their
    arguments. Failures are counted in `failures` and never raise into training.

    Args:
        attempt: Number that the reporter gave to the attempt.
        rank: Rank of this worker.
        metrics: Train metrics by name; from now on the reporter folds them.
        update_train_metric: Called with the predictions and the batch of each step.
        log_step_count_steps: Steps between two cuts.
        outbox: Outbox that takes the windows.
        device: Device of the model.
        first_step: Step that training continues from.
        take_input_counts: Returns by name the defects of the data that were only counted, since its
            last call.
        take_save_counts: Returns by name the saves without a checkpoint, failed or left out, since
            its last call.
        take_input_seconds: Returns the seconds of reading by part, since its last call.
        clock: Clock of the phases of a step; None for a new one, which starts now.
        tables: Lookups in the tables of the model; None if they are not counted.
        after_step: Phase that begins after a step.
        failures: Takes the failures; None for new ones.
        scalars: Scalars that the user logs; None if there are none.

    Attributes:
        clock: Clock of the phases of a step.
        next_cut: Step at which the current window ends, unless a checkpoint ends it first.
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
        take_input_seconds: Callable[[], Mapping[str, float]] = dict,
        clock: PhaseClock | None = None,
        tables: TableLookups | None = None,
        after_step: str = STEP,
        failures: Failures | None = None,
        scalars: LoggedScalars | None = None,
    ) -> None:
        self._attempt = attempt
        self._rank = rank
        self._metrics = metrics
        self._update_train_metric = update_train_metric
        self._outbox = outbox
        self._take_input_counts = take_input_counts
        self._take_save_counts = take_save_counts
        self._take_input_seconds = take_input_seconds
        self._schedule = CutSchedule(
            [log_step_count_steps, *(metric.decay_step for metric in metrics.values())]
        )
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._layout = Layout.of_metrics(metrics)
        self._extremes = {name: metric.extremes for name, metric in metrics.items()}
        self._updates: dict[str, BackgroundUpdates | SeparateUpdates] = {}
        self._separate: list[SeparateUpdates] = []
        for name, metric in metrics.items():
            metric.hand_over()
            self._add_updates(name, metric, device)
        self.clock = PhaseClock() if clock is None else clock
        self.clock.step = self.clock.first_step = first_step
        self._after_step = after_step
        self._failures = Failures() if failures is None else failures
        self._scalars = scalars
        self._tables = tables
        if tables is not None:
            tables.on_error = self.count_failure
        self._index = 0
        self._learning_rates: Sequence[float] = ()
        self._loss_scale: torch.Tensor | None = None
        self._dense_gradient_norm: torch.Tensor | None = None
        self._first_step = self._step = first_step
        self.next_cut = self._schedule.next_cut(first_step)
        self._start_window()
        self._await_last_step()

    def step(
        self,
        losses: Mapping[str, torch.Tensor],
        predictions: Any,
        batch: Any,
        *,
        samples: int,
        weights: Mapping[str, torch.Tensor | float] | float,
        epoch: int = 0,
        learning_rates: Sequence[float] = (),
        updates: bool | None = None,
    ) -> None:
        """Adds one step, and cuts the window if it ends here.

        Args:
            losses: Loss scalars by name, on the device: weighted means over the rows of this rank.
            predictions: Predictions for `update_train_metric`.
            batch: Batch for `update_train_metric`.
            samples: Number of rows of this rank.
            weights: Weights of the losses in the mean over ranks and steps: the number of rows, or
                by name the sums of the sample weights.
            epoch: Number of the epoch, from 0.
            learning_rates: Learning rates by parameter group.
            updates: Whether there are rows for `update_train_metric`; None if `samples` says it.
        """
        if self.clock.now.phase != MONITOR:
            self.clock.enter(MONITOR)
        try:
            for name, loss in losses.items():
                if name not in self._losses:
                    self._losses[name], self._weights[name] = StepScalars(), StepScalars()
                self._losses[name].add(loss)
                self._weights[name].add(weights if isinstance(weights, float) else weights[name])
            if samples if updates is None else updates:
                self._update_metrics(predictions, batch)
            for name, metric in self._metrics.items():
                if metric.waiting_rows >= ROWS_AN_UPDATE:
                    self._outbox.work(self._updates[name].take().add)
            lookups = None if self._tables is None else self._tables.step(self._stream)
            if lookups is not None:
                self._outbox.work(lookups.add)
        except Exception as error:
            self.count_failure(error)
        self._samples += samples
        self._epoch = epoch
        self._learning_rates = learning_rates
        self._step = self.clock.step = self._step + 1
        if self._step >= self.next_cut:
            self.cut()
        if self._tables is not None:
            self._await_last_step()
        self.clock.enter(self._after_step)

    def fail_metric(self, name: str, error: BaseException) -> None:
        """Marks a train metric, which has no value in this window as an update of it raised."""
        self._updates[name].fail(error)

    def add_gradient_norms(self, norms: Mapping[str, torch.Tensor]) -> None:
        """Adds gradient norms to this window: scalars on the device, by name."""
        self._gradient_norms.update({name: norm.detach() for name, norm in norms.items()})

    def count_skipped_step(self) -> None:
        """Counts a step of the optimizer that was skipped, as a gradient was not finite."""
        self._skipped_steps += 1

    def keep_loss_scale(self, scale: torch.Tensor) -> None:
        """Keeps the scale of the loss for this window: a scalar on the device."""
        self._loss_scale = scale.detach()

    def keep_dense_gradient_norm(self, norm: torch.Tensor) -> None:
        """Keeps the norm of all gradients of dense parameters: a scalar on the device."""
        self._dense_gradient_norm = norm.detach()

    def add_histogram(self, name: str, histogram: Mapping[str, torch.Tensor]) -> None:
        """Adds a histogram to this window, as returned by `HistogramCounter.count`."""
        self._histograms[name] = histogram

    def cut(self, checkpoint: bool = False, last: bool = False) -> None:
        """Ends the window here, if it has a step, and gives it to the outbox.

        Args:
            checkpoint: Whether a checkpoint is made of the state after this step; then a window is
                sent even if it has no step.
            last: Whether this rank makes no more steps. A window is sent then too, so that the
                others do not wait for this rank, however many steps they still make.
        """
        if last and self._step == self._first_step and self._scalars and self._scalars.names:
            names = ", ".join(self._scalars.names)
            text = f"scalars logged after the last step are in no number: {names:.200}"
            self.count_failure(UserError(f"{text}; log those of a step before its step()"))
        if self._step > self._first_step or checkpoint or last:
            self._hand_over(checkpoint, last)

    def send_empty_window(self) -> None:
        """Sends a window without steps, after the resent windows of earlier attempts.

        The reporter closes windows of earlier attempts once it has heard from every rank, and this
        one may not make another step.
        """
        self._hand_over()

    def close(self, timeout_s: float = 30.0) -> bool:
        """Sends the rest for at most `timeout_s` seconds; returns whether all windows arrived."""
        self.cut()
        is_sent = self._outbox.close(timeout_s)
        for updates in self._separate:
            updates.close()
        return is_sent

    def _hand_over(self, checkpoint: bool = False, last: bool = False) -> None:
        try:
            self._outbox.put(self._take_window(checkpoint, last))
        except Exception as error:
            self.count_failure(error)
        self._index += 1
        self._first_step = self._step
        self.next_cut = self._schedule.next_cut(self._step)
        self._start_window()

    def _add_updates(self, name: str, metric: TrainMetricWrapper, device: torch.device) -> None:
        if type(metric.metric).__module__.partition(".")[0] == __name__.partition(".")[0]:
            self._updates[name] = BackgroundUpdates(name, metric, self._stream, self.count_failure)
            return
        # The code of others may take any time, and what it queues on a stream too.
        stream = None if self._stream is None else torch.cuda.Stream(device)
        updates = SeparateUpdates(
            BackgroundUpdates(name, metric, stream, self.count_failure), self.count_failure
        )
        self._updates[name] = updates
        self._separate.append(updates)

    def _update_metrics(self, predictions: Any, batch: Any) -> None:
        self._updated += 1
        try:
            self._update_train_metric(predictions, batch)
        except (Exception, SystemExit) as error:
            missed = [
                n for n, m in self._metrics.items() if m.given - self._given[n] < self._updated
            ]
            # Which of them raised is unknown if each was given something.
            for name in missed or self._metrics:
                self.fail_metric(name, error)
            if not self._metrics:
                self.count_failure(error)

    def _await_last_step(self) -> None:
        if self._tables is not None:
            self._tables.keeps_embeddings = self._step + 1 >= self.next_cut

    def _start_window(self) -> None:
        # Calls of `update_train_metric`, and what each metric had been given before.
        self._updated = 0
        self._given = {name: metric.given for name, metric in self._metrics.items()}
        self._samples = 0
        self._epoch = 0
        self._losses: dict[str, StepScalars] = {}
        self._weights: dict[str, StepScalars] = {}
        self._learning_rates = ()
        self._gradient_norms: dict[str, torch.Tensor] = {}
        self._histograms: dict[str, Mapping[str, torch.Tensor]] = {}
        self._skipped_steps = 0
        self._loss_scale = None
        self._dense_gradient_norm = None

    def _take_window(self, checkpoint: bool, last: bool) -> Window:
        phases = self.clock.take()
        wall_s = sum(phases.get(phase, 0.0) for phase in STEP_PHASES)
        stream = self._stream
        if stream is not None:
            # The side stream works on this window after the current stream has computed it.
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
            device_marks=self.clock.take_marks(),
            losses={name: losses.take(stream) for name, losses in self._losses.items()},
            weights={name: weights.take(stream) for name, weights in self._weights.items()},
            metrics=self._take_metrics(),
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
            tables=self._take_lookups(),
            scalars=self._take_scalars(),
            skipped_steps=self._skipped_steps,
            loss_scale=None
            if self._loss_scale is None
            else Offload({"loss_scale": self._loss_scale}, stream),
            dense_gradient_norm=None
            if self._dense_gradient_norm is None
            else Offload({"dense_gradient_norm": self._dense_gradient_norm}, stream),
            input_seconds=self._take_input_seconds(),
            time=time.time(),
        )

    def _take_metrics(self) -> dict[str, States]:
        taken: dict[str, States] = {}
        for separate in self._separate:
            states = separate.take_window()
            # Before the others are updated, and without waiting for it.
            self._outbox.work(states.add)
            taken[separate.name] = states
        for name, updates in self._updates.items():
            if name not in taken:
                taken[name] = updates.take_window()
        return taken

    def _take_lookups(self) -> BackgroundLookups | None:
        # A window without steps has no lookups.
        if self._tables is None or self._step == self._first_step:
            return None
        return self._tables.take(self._stream)

    def _take_scalars(self) -> TakenScalars | None:
        # Of a window without steps they would be on no point of a curve: they wait for a step.
        if self._scalars is None or not self._scalars.names or self._step == self._first_step:
            return None
        return self._scalars.take()

    def count_failure(self, error: BaseException) -> None:
        """Counts a failure of monitoring; each reason is logged once."""
        self._failures.add(error)

    @property
    def failures(self) -> int:
        """Number of failures of monitoring so far."""
        return self._failures.count
