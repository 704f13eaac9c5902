"""Saves checkpoints while training goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import torch

from raymon.data import InputCounts
from raymon.errors import TrainingError
from raymon.recorder import Unacknowledged
from raymon.results import SAVES_FAILED, SAVES_LEFT_OUT, CheckpointSaved, Evaluation
from raymon.storage import StoragePath
from raymon.training.checkpoint.manifest import (
    TensorPlace,
    checkpoint_path,
    discard_checkpoint,
    staging_directory,
)
from raymon.training.checkpoint.staging import Copies, Staging, assign_to_ranks
from raymon.training.checkpoint.train_state import (
    Stored,
    TrainState,
    plain_rank_state,
    plain_trainer_state,
    rank_state,
    stored_tensors,
    trainer_state,
)
from raymon.training.checkpoint.writer import CheckpointContent, CheckpointWriter, RankPart
from raymon.training.rank.worker_context import WorkerContext

_PATIENCE_S = 30.0


def _nothing() -> tuple[list[bytes], list[Evaluation]]:
    return [], []


class Saver:
    """Writes checkpoints, one at a time, on a background thread.

    Training waits while this rank copies its part of the state, and while an earlier save is not
    over. A save that fails on any rank fails on all; training goes on, and the next save is tried.

    Args:
        model_dir: Directory of the run.
        context: World of this rank; every rank makes its saver at the same point.
        skip: Whether a save that comes due while another is written is left out; else it waits.
        tell: Function that shows a line to those who watch the run; called on rank 0.
        saved: Function that is called on rank 0 with each complete checkpoint.
        embedding_tables: Where each table is held, as the manifest says it.

    Attributes:
        counts: Saves that failed, and saves that were left out; counted on rank 0.
        standstill_s: Seconds that the training thread waited for saves.
        device_s: Seconds that the device stood still for the copies of the last save; 0 on a CPU,
            whose copies the training thread makes.
    """

    def __init__(
        self,
        model_dir: StoragePath,
        context: WorkerContext,
        skip: bool,
        tell: Callable[[str], None],
        saved: Callable[[CheckpointSaved], None] = lambda checkpoint: None,
        embedding_tables: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._model_dir = model_dir
        self._context = context
        # Its own process group, since collectives of two threads must not get mixed up.
        self._background = context.background_context()
        self._skip = skip
        self._tell = tell
        self._saved = saved
        self._embedding_tables = embedding_tables
        self._staging = Staging(context.device, tell)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="raymon-saver")
        self._running: Future[str | None] | None = None
        self._reserved: Future[None] | None = None
        self.counts = InputCounts()
        self.standstill_s = 0.0
        self.device_s = 0.0

    def wants(self) -> bool:
        """Returns whether a save that is due is made; the same on every rank."""
        if not self._skip:
            return True
        over = self._running is None or self._running.done()
        if self._context.all_agree(over):
            return True
        self._count(SAVES_LEFT_OUT)
        return False

    def reserve(self, state: TrainState) -> None:
        """Begins to take the memory for saves, so that none of them stands still for that."""
        stored = stored_tensors(state)
        content = self._content(state, self._own(stored, self._ranks(stored)))
        self._reserved = self._thread.submit(self._staging.reserve, content)

    def save(self, state: TrainState, unacknowledged: Unacknowledged = _nothing) -> None:
        """Begins to save a state, which may change after the call.

        Args:
            state: The state.
            unacknowledged: Function that returns the windows and scores up to its step that are not
                durable; called by the thread that writes.
        """
        began, began_at = time.monotonic(), time.time()
        self.wait()
        if self._reserved is not None:
            self._reserved.result()
            self._reserved = None
        stored = stored_tensors(state)
        ranks = self._ranks(stored)
        copies = self._staging.copy(self._content(state, self._own(stored, ranks)))
        content = CheckpointContent(
            state.step,
            state.position.shared.epoch,
            state.stopped,
            dict(state.metrics),
            lambda: self._part(copies, unacknowledged),
            {n: TensorPlace.of(tensor, ranks.get(n)) for n, tensor in stored.items()},
            self._embedding_tables,
        )
        failure: Future[str | None] = Future()
        path = str(checkpoint_path(self._model_dir, content.step))
        self._running = self._thread.submit(self._write, content, copies, failure, began_at)
        self._context.controller.register(path, content.step, content.metrics, failure)
        self.standstill_s += time.monotonic() - began

    def close(self) -> None:
        """Waits for the save that is under way.

        Raises:
            TrainingError: It failed.
        """
        why = self.wait()
        self._thread.shutdown()
        if why is not None:
            raise TrainingError(why)

    def give_up(self) -> None:
        """Waits a while for the save that is under way, after the run has failed."""
        self._thread.shutdown(wait=False)
        if self._running is not None:
            wait([self._running], timeout=_PATIENCE_S)

    def wait(self) -> str | None:
        """Waits for the save that is under way.

        Returns:
            Why it failed; None if it did not.
        """
        running, self._running = self._running, None
        return None if running is None else running.result()

    def _count(self, name: str) -> None:
        if self._context.rank == 0:
            self.counts.add(name, 1)

    def _ranks(self, stored: Mapping[str, Stored]) -> dict[str, int]:
        """Returns which rank writes each tensor that all ranks have."""
        sizes = {n: one.nbytes for n, one in stored.items() if isinstance(one, torch.Tensor)}
        return assign_to_ranks(sizes, self._context.world_size)

    def _own(self, stored: Mapping[str, Stored], ranks: Mapping[str, int]) -> dict[str, Stored]:
        """Returns what this rank writes of the tensors: every rank its part of a sharded table."""
        here = self._context.rank
        return {n: tensor for n, tensor in stored.items() if ranks.get(n, here) == here}

    def _content(self, state: TrainState, own: Mapping[str, Stored]) -> tuple[Any, Any, Any]:
        """Returns all that this rank writes, as it is in training."""
        shared = trainer_state(state) if self._context.rank == 0 else {}
        return own, shared, rank_state(state, self._context.device)

    def _part(
        self, copies: Copies[tuple[Any, Any, Any]], unacknowledged: Unacknowledged
    ) -> RankPart:
        """Waits for what this rank writes, and returns it as it is written."""
        tensors, shared, own = copies.wait()
        self.device_s = copies.device_s
        return RankPart(
            tensors, plain_trainer_state(shared), plain_rank_state(own, *unacknowledged())
        )

    def _write(
        self,
        content: CheckpointContent,
        copies: Copies[tuple[Any, Any, Any]],
        failure: Future[str | None],
        began: float,
    ) -> str | None:
        """Returns why there is no checkpoint; None if there is one.

        Args:
            content: What is written.
            copies: Copies of what is written, which are given back.
            failure: Gets the same, once all ranks have agreed on whether there is a checkpoint:
                what goes wrong on one of them afterwards does not change it.
            began: Seconds since 1970 at which the save began.
        """
        path = checkpoint_path(self._model_dir, content.step)
        try:
            with staging_directory(path) as staged:
                why = CheckpointWriter(path, staged, content, self._background).write()
                failure.set_result(why)
                if why is not None:
                    return self._failed(path, why)
                if self._context.rank == 0:
                    seconds = max(0.0, time.time() - began)
                    self._saved(CheckpointSaved(content.step, str(path), began, seconds))
                return None
        except BaseException as error:
            if not failure.done():
                failure.set_exception(error)
            raise
        finally:
            copies.release()

    def _failed(self, path: StoragePath, why: str) -> str:
        text = f"{path}: not saved: {why}"
        self._count(SAVES_FAILED)
        if self._context.rank == 0:
            discard_checkpoint(path)
            self._tell(f"{text}; training goes on, and the next save is tried")
        return text
