"""The training loop of raymon without monitoring, on workers of Ray Train."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

import ray.train
import ray.train.torch
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer
from torch import Tensor

from benchmarks.contenders.click_task import WORKERS, Trained, note_rank, pipeline, trained
from raymon.recorder import Outbox, Recorder
from raymon.results import DATA, STEP_PHASES
from raymon.training.loop.worker import NO_ATTEMPT, run_worker
from raymon.training.on_ray.malloc import malloc_settings
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext
from raymon.training.rank.worker_task import WorkerTask
from raymon.wire import Ack

Answer = TypeVar("Answer")


def unwatched(data: Path, model_dir: Path, workers: int = WORKERS) -> Trained:
    """Runs the loop once."""
    # Ray declares the settings of an earlier version of Ray Train, which did not know it.
    environment: dict[str, Any] = {"worker_runtime_env": {"env_vars": malloc_settings()}}
    began = time.perf_counter()
    TorchTrainer(
        unwatched_worker,
        train_loop_config={
            "task": WorkerTask(pipeline(data, model_dir, workers).SerializeToString())
        },
        scaling_config=ScalingConfig(num_workers=workers),
        run_config=RunConfig(
            name=model_dir.name,
            storage_path=str(model_dir.parent),
            **environment,
        ),
    ).fit()
    # With 0 workers there is one rank, in this process.
    return trained(model_dir, time.perf_counter() - began, max(workers, 1))


def unwatched_worker(arguments: dict[str, Any]) -> None:
    """Trains on each worker."""
    task: WorkerTask = arguments["task"]
    world, model_dir = ray.train.get_context(), Path(task.config.model_dir)
    context = WorkerContext(
        world.get_world_rank(),
        world.get_world_size(),
        ray.train.torch.get_device(),
        LocalController(),
    )
    run_worker(task, context, _Nowhere(), lambda *_: _Unwatched(context, model_dir))


class _Unwatched(Recorder):
    """A recorder that counts the seconds of training, and does nothing else."""

    def __init__(self, context: WorkerContext, directory: Path) -> None:
        super().__init__(
            attempt=0,
            rank=context.rank,
            metrics={},
            update_train_metric=lambda predictions, batch: None,
            log_step_count_steps=1_000_000_000,
            outbox=Outbox(_Nowhere(), lambda ack: None),
            device=context.device,
            clock=context.clock,
        )
        self._directory, self._own_rank = directory, context.rank
        self._rows = 0
        self._last_losses: Mapping[str, Tensor] = {}

    def step(
        self, losses: Mapping[str, Tensor], *arguments: Any, samples: int, **others: Any
    ) -> None:
        """Counts rows, and ends the phase of the step."""
        self._rows += samples
        self._last_losses = losses
        self.clock.enter(DATA)

    def cut(self, checkpoint: bool = False, last: bool = False) -> None:
        """Does nothing: no window is sent."""

    def close(self, timeout_s: float = 0.0) -> bool:
        """Writes the counts into the file of the rank."""
        phases = self.clock.take()
        seconds = sum(phases.get(phase, 0.0) for phase in STEP_PHASES)
        loss = sum(float(loss.detach()) for loss in self._last_losses.values())
        note_rank(self._directory, self._own_rank, self._rows, seconds, loss)
        return super().close(timeout_s)


class _Nowhere:
    """A reporter that ignores everything."""

    def begin_attempt(self, *arguments: Any) -> int:
        """Returns the number of no attempt."""
        return NO_ATTEMPT

    def channel(self, *arguments: Any) -> Self:
        """Returns itself."""
        return self

    def report(self, message: bytes) -> Future[Ack]:
        """Ignores a window."""
        return self.acknowledged()

    def beat(self, message: bytes) -> Future[Ack]:
        """Ignores a heartbeat."""
        return self.acknowledged()

    def acknowledged(self) -> Future[Ack]:
        """Returns that all windows are settled."""
        return _done(Ack("", NO_ATTEMPT))

    def publish_evaluation_progress(self, *arguments: Any) -> Future[None]:
        """Ignores the progress."""
        return _done(None)

    def publish_evaluation(self, *arguments: Any) -> Future[None]:
        """Ignores the scores."""
        return _done(None)

    def publish_checkpoint(self, *arguments: Any) -> Future[None]:
        """Ignores the checkpoint."""
        return _done(None)

    def answer_request(self, *arguments: Any) -> Future[None]:
        """Ignores the answer."""
        return _done(None)

    def publish_notice(self, *arguments: Any) -> Future[None]:
        """Ignores the notice."""
        return _done(None)


def _done(result: Answer) -> Future[Answer]:
    future: Future[Answer] = Future()
    future.set_result(result)
    return future
