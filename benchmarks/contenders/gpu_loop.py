"""The training loop of raymon, with its monitoring, on batches that lie ready on the host."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.contenders.gpu_task import Task, pipeline
from raymon.data import Batch, InputCounts, Position
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.recorder import Outbox
from raymon.reporter import InProcessReporter, Reporter
from raymon.storage import storage_path
from raymon.training.checkpoint.saver import Saver
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.feed import FedBatch, RunPosition
from raymon.training.input.readers import features_of
from raymon.training.loop.agreement import Agreed, Agreement, Inbox
from raymon.training.loop.build_model import build_worker_model
from raymon.training.loop.loop import Loop
from raymon.training.loop.reporting_recorder import make_reporting_recorder
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.gradients import GradientSummaries
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.optim.precision import set_tf32
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext

_BEGIN = RunPosition(Position(0, 0, 1))


@dataclass(frozen=True)
class Measured:
    """What a run of the loop took.

    Attributes:
        seconds: Seconds of the steps after the first ones, until the device is done with them.
        steps: Number of these steps.
        standstill_s: Seconds that the training thread stood still for saves, and those in which
            the device made the copies of the last one.
        failures: Failures of monitoring.
    """

    seconds: float
    steps: int
    standstill_s: float
    failures: int


class PreparedFeed:
    """A feed of batches that are used in turn.

    Args:
        batches: The batches.
        steps: Number of steps.
    """

    data = "prepared"
    begin = _BEGIN

    def __init__(self, batches: Sequence[Batch], steps: int) -> None:
        self._batches = batches
        self._steps = steps
        self.counts = InputCounts()

    def batches(self, step: int, position: RunPosition) -> Generator[FedBatch, None, None]:
        """Yields the batches."""
        for number in range(self._steps):
            batch = self._batches[number % len(self._batches)]
            yield FedBatch(batch, batch.size, 1, True, False, position)


class _Clock(Agreement):
    """An agreement, which the loop asks for after each step, that takes the time instead.

    Args:
        context: World of this rank.
        steps: Number of steps.
        first: Number of steps after which the clock begins.
    """

    def __init__(self, context: WorkerContext, steps: int, first: int) -> None:
        super().__init__(context, _no_notice, Inbox())
        self._device = context.device
        self._all, self._first, self._made = steps, first, 0
        self._started = time.perf_counter()
        self.seconds = 0.0

    def step(self) -> Agreed | None:
        """Counts a step; waits for the device where the clock begins and ends."""
        self._made += 1
        if self._made == self._first:
            settle(self._device)
            self._started = time.perf_counter()
        if self._made == self._all:
            settle(self._device)
            self.seconds = time.perf_counter() - self._started
        return None


class _NoSaves(Saver):
    """A saver that saves nothing, where only steps are measured."""

    def reserve(self, state: TrainState) -> None:
        """Takes no memory."""

    def save(self, state: TrainState, unacknowledged: object = None) -> None:
        """Does nothing."""


def settle(device: torch.device) -> None:
    """Waits until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class RaymonLoop:
    """The loop of one rank with all that a run has: recorder, reporter, saver.

    Args:
        task: What is trained.
        device: Device of the model.
        directory: Directory of the run.
        settings: Changes the config, before anything is made of it.
        saves: Whether checkpoints are written.
    """

    def __init__(
        self,
        task: Task,
        device: torch.device,
        directory: Path,
        settings: Callable[[PipelineConfig], object] = lambda config: None,
        *,
        saves: bool = False,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.config = config = pipeline(task, str(directory), 1)
        settings(config)
        self._device = device
        features = features_of(config)
        self._context = context = WorkerContext(0, 1, device, LocalController())
        set_tf32(config.train_config)
        torch.manual_seed(0)
        self.model = model = build_worker_model(config, features, context)
        model.init_metric()
        model.to(device)
        optimizers = build_optimizers(config.train_config, model)
        self.train_step = TrainStep(config.train_config, model, optimizers, context)
        self.state = TrainState(model, optimizers, self.train_step.scaler, "prepared", _BEGIN)
        make = Saver if saves else _NoSaves
        self._saver = make(storage_path(str(directory)), context, False, _silent)
        reporter = Reporter(directory, [], config.train_config.log_step_count_steps, 10.0)
        self.reporter = InProcessReporter(reporter)
        metrics = model.train_metrics
        attempt = self.reporter.begin_attempt("a", 1, 0, metrics)
        self._outbox = Outbox(
            self.reporter.channel(attempt, 1, metrics), lambda ack: None, context.device
        )
        self.recorder = make_reporting_recorder(
            config, model, context, attempt, self._outbox, 0, InputCounts(), dict
        )
        summaries = set(config.train_config.tensorboard_summaries)
        self._summaries = None
        if summaries:
            self._summaries = GradientSummaries(summaries, model, self.recorder, device)

    def run(self, batches: Sequence[Batch], steps: int, first: int) -> Measured:
        """Trains for some steps, and goes on where the last call ended.

        Args:
            batches: Batches on the host, which are used in turn.
            steps: Number of steps.
            first: Number of steps that do not count.
        """
        clock = _Clock(self._context, steps, first)
        before = self._saver.standstill_s
        loop = Loop(
            config=self.config,
            state=self.state,
            train_step=self.train_step,
            feed=PreparedFeed(batches, steps),
            eval_reader=None,
            recorder=self.recorder,
            summaries=self._summaries,
            outbox=self._outbox,
            saver=self._saver,
            agreement=clock,
            context=self._context,
        )
        loop.run()
        return Measured(
            clock.seconds,
            steps - first,
            self._saver.standstill_s - before + self._saver.device_s,
            self.recorder.failures,
        )

    def close(self) -> None:
        """Ends the threads, and sends what is left."""
        self.recorder.close()


def _no_notice() -> Future[str | None]:
    answer: Future[str | None] = Future()
    answer.set_result(None)
    return answer


def _silent(text: str) -> None:
    pass
