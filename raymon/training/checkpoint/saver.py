"""Checkpoints that are written while training goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from raymon.data import InputCounts
from raymon.errors import TrainingError, reason
from raymon.results import SAVES_FAILED, SAVES_LEFT_OUT
from raymon.storage import StoragePath
from raymon.training.checkpoint.manifest import (
    TRAINER,
    TensorPlace,
    begin_checkpoint,
    checkpoint_path,
    file_entries,
    forget_checkpoint,
    hand_in,
    rank_part,
    workplace,
    write_manifest,
    write_part,
)
from raymon.training.checkpoint.staging import Staging, dealt
from raymon.training.checkpoint.train_state import (
    TrainState,
    own_rest,
    replicated_tensors,
    shared_rest,
)
from raymon.training.rank.worker_context import ANOTHER_WORKER, WorkerContext

_log = logging.getLogger("raymon")

_PATIENCE_S = 30.0


@dataclass(frozen=True)
class _Save:
    """What is written: a copy, or memory that nobody changes."""

    step: int
    epoch: int
    stopped: str | None
    metrics: Mapping[str, float]
    tensors: Callable[[], Mapping[str, torch.Tensor]]
    places: Mapping[str, TensorPlace]
    shared: Mapping[str, Any]
    own: Mapping[str, Any]


class Saver:
    """Writes checkpoints, one at a time, on a thread of its own.

    Training stands still while this rank copies its part of the state, and while an earlier save is
    not over. A save that fails on any rank fails on all; training goes on, and the next one is
    tried.

    Args:
        model_dir: Directory of the run.
        context: The world of this rank; every rank makes its saver at the same point.
        skip: A save that comes due while another is written is left out; else it waits.
        tell: Shows a line to who watches the run; called on rank 0.
        saved: Called with its step on rank 0 when a checkpoint is complete.

    Attributes:
        counts: Saves that failed, and those that were left out; counted on rank 0.
        standstill_s: Seconds that training stood still for saves.
    """

    def __init__(
        self,
        model_dir: StoragePath,
        context: WorkerContext,
        skip: bool,
        tell: Callable[[str], None],
        saved: Callable[[int], None] = lambda step: None,
    ) -> None:
        self._model_dir = model_dir
        self._context = context
        # Collectives of two threads must not meet.
        self._beside = context.beside()
        self._skip = skip
        self._tell = tell
        self._saved = saved
        self._staging = Staging(context.device)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="raymon-saver")
        self._running: Future[str | None] | None = None
        self.counts = InputCounts()
        self.standstill_s = 0.0

    def wants(self) -> bool:
        """Whether a save that is due is made; the same on every rank."""
        if not self._skip:
            return True
        over = self._running is None or self._running.done()
        if self._context.all_agree(over):
            return True
        self._count(SAVES_LEFT_OUT)
        return False

    def save(self, state: TrainState) -> None:
        """Begins to save a state; it may change afterwards."""
        began = time.monotonic()
        self.wait()
        tensors = replicated_tensors(state)
        sizes = {name: tensor.nbytes for name, tensor in tensors.items()}
        ranks = dealt(sizes, self._context.world_size)
        own = {n: tensor for n, tensor in tensors.items() if ranks[n] == self._context.rank}
        work = _Save(
            state.step,
            state.position.shared.epoch,
            state.stopped,
            dict(state.metrics),
            self._staging.copy(own),
            {n: TensorPlace.of(tensor, ranks[n]) for n, tensor in tensors.items()},
            shared_rest(state) if self._context.rank == 0 else {},
            own_rest(state, self._context.device),
        )
        self._running = self._thread.submit(self._write, work)
        self.standstill_s += time.monotonic() - began

    def ask_for_preemption(self) -> Future[str | None]:
        """As `CheckpointRegister.ask_for_preemption`, behind what is being saved, so that all ranks
        ask in the same order; returns at once."""
        answer: Future[str | None] = Future()
        self._thread.submit(self._ask_for_preemption, answer)
        return answer

    def close(self) -> None:
        """Waits for what is being saved.

        Raises:
            TrainingError: It could not be saved.
        """
        why = self.wait()
        self._thread.shutdown()
        if why is not None:
            raise TrainingError(why)

    def give_up(self) -> None:
        """Lets what is being saved come to its end, where that is near; for a run that failed."""
        self._thread.shutdown(wait=False)
        if self._running is not None:
            wait([self._running], timeout=_PATIENCE_S)

    def wait(self) -> str | None:
        """Waits for what is being saved; why it could not be, None where it could."""
        running, self._running = self._running, None
        return None if running is None else running.result()

    def _ask_for_preemption(self, answer: Future[str | None]) -> None:
        def pass_on(asked: Future[str | None]) -> None:
            # One that could not be asked says nothing.
            answer.set_result(None if asked.exception() else asked.result())

        self._context.register.ask_for_preemption().add_done_callback(pass_on)

    def _count(self, name: str) -> None:
        if self._context.rank == 0:
            self.counts.add(name, 1)

    def _write(self, save: _Save) -> str | None:
        """Why there is no checkpoint; None where there is one."""
        path = checkpoint_path(self._model_dir, save.step)
        with workplace(path) as here:
            return self._write_by_way_of(here, path, save)

    def _write_by_way_of(self, here: Path, path: StoragePath, save: _Save) -> str | None:
        world, group = self._beside, self._beside.group
        error: Exception | None = None
        entries: list[Mapping[str, Any]] = []

        def begin() -> None:
            if world.rank == 0:
                begin_checkpoint(path)

        def wait_for_copies() -> None:
            # By itself: a rank that fails here must not leave the others in a collective.
            tensors.update(save.tensors())

        def write() -> None:
            from raymon.training.checkpoint.tensor_files import write_tensors

            write_tensors(here, tensors, group)

        def write_rest() -> None:
            names = [rank_part(world.rank)]
            write_part(here, names[0], save.own)
            if world.rank == 0:
                write_part(here, TRAINER, save.shared)
                names.append(TRAINER)
            entries.append(file_entries(here, world.rank, names))
            hand_in(here, path)

        def commit() -> None:
            files = {name: entry for part in parts for name, entry in part.items()}
            if world.rank == 0:
                write_manifest(
                    path,
                    step=save.step,
                    epoch=save.epoch,
                    stopped=save.stopped,
                    metrics=save.metrics,
                    world_size=world.world_size,
                    files=files,
                    tensors=save.places,
                )

        tensors: dict[str, torch.Tensor] = {}
        parts: list[Mapping[str, Any]] = []
        for action in (begin, wait_for_copies, write, write_rest, commit):
            try:
                action()
            except Exception as failure:
                error = failure
            if not world.all_agree(error is None):
                return self._failed(path, error)
            if action is write_rest:
                parts = world.gather(entries[0])
        self._context.register.register(str(path), save.step, save.metrics)
        if world.rank == 0:
            self._saved(save.step)
        return None

    def _failed(self, path: StoragePath, error: Exception | None) -> str:
        why = f"{path}: not saved: {reason(error) if error else ANOTHER_WORKER}"
        self._count(SAVES_FAILED)
        if self._context.rank == 0:
            forget_checkpoint(path)
            self._tell(f"{why}; training goes on, and the next save is tried")
        return why
