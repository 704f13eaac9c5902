"""The training loop of one rank."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext

from raymon.data import Batch
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import OnNonfinite
from raymon.recorder import Outbox, Recorder
from raymon.results import (
    CHECKPOINT,
    DATA,
    EVALUATION,
    FORWARD,
    MONITOR,
    OPTIMIZER,
    Evaluation,
)
from raymon.storage import storage_path
from raymon.training.checkpoint.saver import Saver
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.feed import FedBatch, Feed
from raymon.training.input.inputs import EvalReader
from raymon.training.loop.agreement import Agreement
from raymon.training.loop.evaluation import evaluate
from raymon.training.loop.profiling import StepProfiler
from raymon.training.loop.requested_trace import RequestedTrace
from raymon.training.loop.train_step import StepOutput, TrainStep
from raymon.training.optim.gradients import GradientSummaries
from raymon.training.optim.precision import SkippedSteps
from raymon.training.rank.not_finite import NotFiniteError
from raymon.training.rank.worker_context import WorkerContext
from raymon.wire import STOP, RankAnswer, RankRequest


class Loop:
    """Trains a model on the rows of this rank, and saves and evaluates it when due.

    Args:
        config: Pipeline config.
        state: State to train; its position says where to continue.
        train_step: Forward, backward and update of a batch.
        feed: Source of the batches of this rank.
        eval_reader: Reader of the evaluation rows of this rank; None without an evaluation.
        recorder: Recorder that measures the steps.
        summaries: Measures gradients for TensorBoard; None if no summaries are configured.
        outbox: Sends scores, on rank 0; knows which windows are not durable yet.
        saver: Writes checkpoints.
        agreement: Says at which step all ranks act on a notice of preemption or on a request.
        context: The world of this rank.
    """

    def __init__(
        self,
        *,
        config: PipelineConfig,
        state: TrainState,
        train_step: TrainStep,
        feed: Feed,
        eval_reader: EvalReader | None,
        recorder: Recorder,
        summaries: GradientSummaries | None,
        outbox: Outbox,
        saver: Saver,
        agreement: Agreement,
        context: WorkerContext,
    ) -> None:
        self._config = config
        self._train_config = config.train_config
        self._pin_memory = config.data_config.pin_memory
        self._state = state
        self._train_step = train_step
        self._feed = feed
        self._eval_reader = eval_reader
        self._recorder = recorder
        self._summaries = summaries
        self._outbox = outbox
        self._saver = saver
        self._agreement = agreement
        self._context = context
        self._model_dir = storage_path(config.model_dir)
        self._saved_step = self._due_step = state.step
        self._has_memory_for_saves = False
        # The request that ends the run, once all ranks act on it.
        self._stop: RankRequest | None = None
        self._skipped = SkippedSteps()

    def run(self) -> None:
        """Trains up to the last step, until the scores stop improving, or until asked to stop.

        The last step is always saved; it is evaluated too, unless a request ended the run there.
        """
        if self._state.stopped is None:
            self._train()
        if self._saved_step < self._state.step:
            if self._stop is None:
                self._save()
            else:
                self._save_unscored()
        self._saver.close()
        if self._stop is not None:
            step = self._state.step
            self._answer(
                RankAnswer(self._stop.number, self._context.rank, socket.gethostname(), step, step)
            )

    def _train(self) -> None:
        state, clock = self._state, self._recorder.clock
        profiling = self._train_config.is_profiling and self._context.rank == 0
        with (
            _garbage_collector_frozen(),
            clock.counting_garbage_collection(),
            StepProfiler(self._model_dir, profiling) as profiler,
            closing(
                RequestedTrace(self._model_dir, self._context.rank, self._answer)
            ) as requested_trace,
            closing(self._feed.batches(state.step, state.position)) as feed,
            closing(self._context.on_device(feed, _batch_of, self._pin_memory)) as batches,
        ):
            clock.enter(DATA)
            save_early = False
            for fed, batch in batches:
                clock.enter(FORWARD)
                self._step(fed, batch)
                if fed.ends_group and not self._has_memory_for_saves:
                    # Once the optimizers have their states.
                    self._has_memory_for_saves = True
                    clock.enter(CHECKPOINT)
                    self._saver.reserve(state)
                    clock.enter(OPTIMIZER)
                if profiling or requested_trace.goes_on:
                    with clock.within(MONITOR):
                        profiler.step()
                        requested_trace.step(state.step)
                if (agreed := self._agreement.step()) is not None:
                    save_early = agreed.saves or save_early
                    if agreed.request is not None and agreed.request.kind == STOP:
                        self._stop = agreed.request
                    elif agreed.request is not None:
                        with clock.within(MONITOR):
                            requested_trace.begin(agreed.request, state.step)
                if self._save_is_due(fed):
                    self._due_step = state.step
                    if self._saver.wants():
                        self._save()
                        save_early = False
                elif save_early and fed.ends_group:
                    self._save_before_preemption()
                    save_early = False
                stops = self._stop is not None and fed.ends_group
                if stops or state.stopped is not None:
                    break
                clock.enter(DATA)

    def _step(self, fed: FedBatch, batch: Batch) -> None:
        state = self._state
        output = self._train_step.backward(batch, fed.group_rows, fed.group_steps, fed.ends_group)
        learning_rates = state.optimizers.learning_rates()
        if fed.ends_group and (why := self._update(fed.group_steps)) is not None:
            self._save_and_fail(why, fed, output, batch)
        state.optimizers.step_schedules()
        if fed.ends_epoch:
            state.optimizers.end_epoch()
        state.step += 1
        epoch = state.position.shared.epoch
        state.position = fed.after
        self._recorder.step(
            output.losses,
            output.predictions,
            batch,
            samples=batch.size,
            weights=output.weights,
            epoch=epoch,
            learning_rates=learning_rates,
        )

    def _save_and_fail(self, why: str, fed: FedBatch, output: StepOutput, batch: Batch) -> None:
        """Saves the model as it is before the steps that are not finite, and raises.

        Only if they are one step: else the position before the first of them is gone.
        """
        step = self._state.step
        if fed.group_steps == 1 and step > self._saved_step:
            self._save_unscored()
            self._saver.close()
        # So that there is an alert too.
        self._recorder.step(
            output.losses, output.predictions, batch, samples=batch.size, weights=output.weights
        )
        raise NotFiniteError(f"{why}; on_nonfinite is STOP")

    def _update(self, group: int) -> str | None:
        """Makes a step of the optimizers; returns why the run has to stop, or None."""
        self._train_step.unscale()
        last_of_window = self._state.step + 1 + group > self._recorder.next_cut
        if self._summaries is not None and last_of_window:
            try:
                with self._recorder.clock.within(MONITOR):
                    self._summaries.measure()
            except Exception as error:  # a failed measurement is no reason to stop
                self._recorder.count_failure(error)
        if last_of_window and self._context.rank == 0:
            norm = self._train_step.dense_gradient_norm()
            if norm is not None:
                self._recorder.keep_dense_gradient_norm(norm)
        made = self._train_step.update()
        self._skipped.count(made)
        why = None if made else self._skip(group)
        self._train_step.finite.forget()
        if last_of_window and (scale := self._train_step.loss_scale()) is not None:
            self._recorder.keep_loss_scale(scale)
        if made and self._state.averages is not None:
            self._state.averages.update()
        return why

    def _skip(self, group: int) -> str | None:
        """Counts a step of the optimizer that was not made; returns why the run has to stop."""
        self._recorder.count_skipped_step()
        finite, stops = self._train_step.finite, self._train_config.on_nonfinite == OnNonfinite.STOP
        if not finite.is_on or not (stops or finite.looks_for_module):
            return None
        bad = finite.first_bad()
        if bad is None and self._train_step.loss_scale() is not None:
            # In FP16 gradients overflow until the scale of the loss is found.
            return None
        last = self._state.step
        step = last if bad is None else last - group + 1 + bad.index
        what = "a gradient is not finite, on a rank that is not known, while all losses are"
        if bad is not None:
            what = f"{bad.name} is {bad.value} on rank {bad.rank}"
        module = finite.find_module(bad)
        why = f"step {step}: {what}" + (f"; {module}" if module else "")
        if stops:
            return why
        if self._context.rank == 0:
            self._outbox.publish(lambda channel: channel.publish_notice(f"{why}; it is skipped"))
        return None

    def _save_is_due(self, fed: FedBatch) -> bool:
        # Only between steps of the optimizer: partly accumulated gradients are not saved.
        every_epochs = self._train_config.save_checkpoints_epochs
        if every_epochs:
            return fed.ends_epoch and fed.after.shared.epoch % every_epochs == 0
        every = self._train_config.save_checkpoints_steps
        if not every:
            return False
        return fed.ends_group and self._state.step // every > self._due_step // every

    def _save(self) -> None:
        state = self._state
        self._begin_save()
        self._recorder.clock.enter(EVALUATION)
        evaluation = self._evaluate()
        self._recorder.clock.enter(CHECKPOINT)
        state.metrics = {} if evaluation is None else dict(evaluation.metrics)
        if state.stopping is not None and evaluation is not None:
            state.stopping.observe(state.step, evaluation.metrics, evaluation.without_value)
        self._write()

    def _save_before_preemption(self) -> None:
        if self._context.rank == 0:
            text = f"{self._agreement.notice}: step {self._state.step} is saved"
            self._outbox.publish(lambda channel: channel.publish_notice(text))
        self._save_unscored()

    def _save_unscored(self) -> None:
        # Without an evaluation, which may take longer than there is time for.
        self._begin_save()
        self._state.metrics = {}
        self._write()

    def _answer(self, answer: RankAnswer) -> None:
        self._outbox.publish(lambda channel: channel.answer_request(answer))

    def _begin_save(self) -> None:
        self._recorder.clock.enter(CHECKPOINT)
        self._recorder.cut(checkpoint=True)
        skipped = self._skipped.notice(self._train_step.scaler)
        if skipped is not None and self._context.rank == 0:
            self._outbox.publish(lambda channel: channel.publish_notice(skipped()))
        # Batch statistics differ between ranks; those of rank 0 are saved.
        self._context.copy_from_rank_zero(self._state.model.dense_buffers())

    def _write(self) -> None:
        state = self._state
        # Windows that the reporter does not have yet go into the checkpoint, so that they are not
        # lost if the worker dies after it.
        self._saver.save(state, self._outbox.unacknowledged())
        self._saved_step = state.step

    def _evaluate(self) -> Evaluation | None:
        if self._eval_reader is None:
            return None
        step = self._state.step

        def progress(done: int, total: int, seconds: float) -> None:
            if self._context.rank == 0:
                self._outbox.publish(
                    lambda channel: channel.publish_evaluation_progress(step, done, total, seconds)
                )

        averages = self._state.averages
        with nullcontext() if averages is None else averages.applied():
            evaluation = evaluate(
                self._config, self._state.model, [self._eval_reader], self._context, progress, step
            )
        if self._context.rank == 0:
            self._outbox.publish_evaluation(evaluation)
        return evaluation


def _batch_of(fed: FedBatch) -> Batch:
    return fed.batch


@contextmanager
def _garbage_collector_frozen() -> Iterator[None]:
    """Makes the garbage collector ignore, within the context, all objects that exist already.

    A full collection looks at every object, and torch, Ray and a model have a million: it took the
    training thread 0.3 s, at another step on each rank, for which the others waited.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
