"""The loop of training on one rank."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from raymon.data import Batch, DataReader
from raymon.monitor import Monitor, Sender
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.evaluation import evaluate
from raymon.training.gradients import GradientSummaries
from raymon.training.job import steps_to_go
from raymon.training.profiling import StepProfiler
from raymon.training.save import TrainState, save
from raymon.training.train_step import TrainStep
from raymon.training.worker_context import WorkerContext


class Loop:
    """Trains a model on the rows of this rank, and saves and evaluates when it is time.

    Args:
        config: The pipeline.
        state: What is trained; it says where to go on.
        train_step: Trains on one batch.
        reader: Training rows of this rank.
        eval_reader: Evaluation rows of this rank; None where there is no evaluation.
        monitor: Watches the steps.
        summaries: Measures gradients; None where nobody wants to see them.
        sender: Sends scores, on rank 0; knows which windows are still on their way.
        context: The world of this rank.
    """

    def __init__(
        self,
        *,
        config: PipelineConfig,
        state: TrainState,
        train_step: TrainStep,
        reader: DataReader,
        eval_reader: DataReader | None,
        monitor: Monitor,
        summaries: GradientSummaries | None,
        sender: Sender,
        context: WorkerContext,
    ) -> None:
        self._config = config
        self._train_config = config.train_config
        self._state = state
        self._train_step = train_step
        self._reader = reader
        self._eval_reader = eval_reader
        self._monitor = monitor
        self._summaries = summaries
        self._sender = sender
        self._context = context
        self._model_dir = Path(config.model_dir)
        self._total_steps = state.step + steps_to_go(config, reader, state.step, state.position)
        self._saved_step = state.step
        # Of the epoch, or what is left of it: its first row, its steps, and those that are made.
        self._first_row = self._epoch_steps = self._end = 0

    def run(self) -> None:
        """Trains up to the last step, which is always saved and evaluated."""
        profiling = self._train_config.is_profiling and self._context.rank == 0
        with StepProfiler(self._model_dir, profiling) as profiler:
            while self._state.step < self._total_steps:
                self._run_epoch(profiler)
        if self._saved_step < self._state.step:
            self._save()

    def _run_epoch(self, profiler: StepProfiler) -> None:
        state, clock = self._state, self._monitor.clock
        begin = state.position
        self._first_row = begin.row
        self._epoch_steps = self._reader.steps_from(begin.row)
        self._end = min(self._epoch_steps, self._total_steps - state.step)
        clock.skip()
        with closing(self._reader.epoch(begin.epoch, begin.row, begin.streams)) as batches:
            for index, batch in enumerate(batches):
                clock.lap("data")
                self._step(batch, begin.epoch, index)
                profiler.step()
                if state.step == self._total_steps:
                    break
                if self._save_is_due(index):
                    self._save()
                    clock.skip()
        every = self._train_config.save_checkpoints_epochs
        over = state.position.epoch > begin.epoch and state.step < self._total_steps
        if every and over and state.position.epoch % every == 0:
            self._save()

    def _step(self, batch: Batch, epoch: int, index: int) -> None:
        state = self._state
        begin, end = self._group(index)
        last = index + 1 == end
        moved = self._context.move(batch, self._config.data_config.pin_memory)
        rows = sum(self._rows_at(step) for step in range(begin, end))
        output = self._train_step.backward(moved, rows, end - begin, last)
        learning_rates = state.optimizers.learning_rates()
        if last:
            self._update(end - begin)
        if index + 1 == self._epoch_steps:
            state.optimizers.end_epoch()
        state.step += 1
        state.position = self._reader.after(state.position)
        self._monitor.step(
            output.losses,
            output.predictions,
            moved,
            samples=batch.size,
            weights=output.weights,
            epoch=epoch,
            learning_rates=learning_rates,
        )

    def _rows_at(self, index: int) -> int:
        return self._reader.rows_at(self._first_row + index * self._reader.global_batch_size)

    def _group(self, index: int) -> tuple[int, int]:
        # Steps whose gradients make up one step of the optimizer. A group ends with the epoch and
        # with the run, so that no gradient is left over; and a run goes on only between groups.
        size = max(1, self._train_config.gradient_accumulation_steps)
        begin = index - index % size
        return begin, min(begin + size, self._end)

    def _update(self, group: int) -> None:
        self._train_step.unscale()
        last_of_window = self._state.step + 1 + group > self._monitor.next_cut
        if self._summaries is not None and last_of_window:
            try:
                self._summaries.measure()
            except Exception as error:  # what cannot be measured is no reason to stop
                self._monitor.count_failure(error)
        self._train_step.update()

    def _save_is_due(self, index: int) -> bool:
        # Only between steps of the optimizer: gradients that are half added up are not saved.
        if self._train_config.save_checkpoints_epochs:
            return False
        if self._state.position.row != 0 and index + 1 != self._group(index)[1]:
            return False
        every = self._train_config.save_checkpoints_steps
        return self._state.step // every > self._saved_step // every

    def _save(self) -> None:
        self._monitor.cut(checkpoint=True)
        # Statistics of batches differ between ranks; the ones that are saved are those of rank 0.
        self._context.copy_from_rank_zero(self._state.model.buffers())
        state = self._state
        state.metrics = self._evaluate()
        # What the reporter does not have yet is in the checkpoint, so that a worker that dies
        # after it takes none of it along.
        state.windows, state.evaluations = self._sender.unacknowledged()
        path = save(state, self._model_dir, self._context)
        state.windows, state.evaluations = [], []
        self._saved_step = state.step
        self._context.register.register(str(path), state.step, state.metrics)

    def _evaluate(self) -> dict[str, float]:
        if self._eval_reader is None:
            return {}
        step = self._state.step

        def progress(done: int, total: int, seconds: float) -> None:
            if self._context.rank == 0:
                self._sender.publish(
                    lambda channel: channel.publish_evaluation_progress(step, done, total, seconds)
                )

        evaluation = evaluate(
            self._config, self._state.model, self._eval_reader, self._context, progress, step
        )
        if self._context.rank == 0:
            self._sender.publish_evaluation(evaluation)
        return dict(evaluation.metrics)
