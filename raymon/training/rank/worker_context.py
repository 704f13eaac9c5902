"""The world of a worker, and the few collectives that training needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from raymon.data import Batch, on_device
from raymon.recorder import PhaseClock, phase_marks
from raymon.results import CHECKPOINT, MOVE, PEERS
from raymon.training.rank.run_controller import RunController

T = TypeVar("T")

ANOTHER_WORKER = "another worker failed"
"""Reason for a failure on a rank where nothing is wrong."""


class WorkerContext:
    """A rank of the world that trains. A world of one needs no process group.

    Args:
        rank: Rank of this worker, from 0.
        world_size: Number of workers.
        device: Device of the model.
        controller: Controller of the run; only the training thread may call it.
        node_id: Id of the node of this worker in Ray; empty without Ray.

    Attributes:
        group: Process group of all ranks over gloo; None if there is one rank.
        clock: Clock of the training thread, by phase.
    """

    def __init__(
        self,
        rank: int,
        world_size: int,
        device: torch.device,
        controller: RunController,
        node_id: str = "",
    ) -> None:
        self.rank = rank
        self.world_size = world_size
        self.device = device
        self.controller = controller
        self.node_id = node_id
        self.clock = PhaseClock(device=phase_marks(device))
        # The thread whose phases the clock has.
        self._thread = threading.get_ident()
        # Threads that are in a collective of this world.
        self._waiting: set[int] = set()
        self._background: list[WorkerContext] = []
        # Python objects and barriers use gloo, so that they need no GPU.
        self.group = dist.new_group(backend="gloo") if world_size > 1 else None

    def background_context(self) -> WorkerContext:
        """Returns the same world with a second process group, for a background thread.

        Its collectives may overlap with those of this one. Every rank calls it at the same point.
        """
        other = WorkerContext(self.rank, self.world_size, self.device, self.controller)
        self._background.append(other)
        return other

    def waits(self) -> bool:
        """Returns whether this rank waits for other ranks, if it makes no progress; for any thread.

        In a save the training thread waits for a thread that writes, and may wait for other ranks
        in its turn.
        """
        if self.clock.now.phase == PEERS:
            return True
        worlds = [self]
        if self.clock.now.phase == CHECKPOINT:
            worlds += self._background
        return any(world._waiting for world in worlds)

    def on_device(
        self, items: Iterator[T], batch_of: Callable[[T], Batch], pin_memory: bool
    ) -> Generator[tuple[T, Batch], None, None]:
        """Yields items, each with its batch on the device of this rank.

        Args:
            items: Items, with batches on the CPU.
            batch_of: Function from an item to its batch.
            pin_memory: Whether batches are copied from page-locked memory.
        """
        moving = partial(self.clock.within, MOVE)
        return on_device(items, batch_of, self.device, pin_memory, moving)

    def copy_from_rank_zero(self, tensors: Iterable[torch.Tensor]) -> None:
        """Overwrites tensors on the device with those of rank 0."""
        if self.world_size > 1:
            with self.in_collective():
                for tensor in tensors:
                    dist.broadcast(tensor, src=0)

    def broadcast(self, value: T) -> T:
        """Returns the value of rank 0, on every rank."""
        if self.group is None:
            return value
        box: list[Any] = [value]
        with self.in_collective():
            dist.broadcast_object_list(box, src=0, group=self.group)
        result: T = box[0]
        return result

    def gather(self, value: T) -> list[T]:
        """Returns the values of all ranks in their order, on every rank."""
        if self.group is None:
            return [value]
        box: list[Any] = [None] * self.world_size
        with self.in_collective():
            dist.all_gather_object(box, value, group=self.group)
        return box

    def all_agree(self, ok: bool) -> bool:
        """Returns whether `ok` is true on every rank. It is a barrier too."""
        if self.group is None:
            return ok
        flag = torch.tensor([int(ok)])
        with self.in_collective():
            dist.all_reduce(flag, op=dist.ReduceOp.MIN, group=self.group)
        return bool(flag.item())

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Returns the sum of a tensor over all ranks, on the CPU."""
        total = values.cpu()
        if self.group is not None:
            with self.in_collective():
                dist.all_reduce(total, group=self.group)
        return total

    def begin_sum(self, values: torch.Tensor) -> Callable[[], torch.Tensor]:
        """Begins to sum a CPU tensor over all ranks, and returns at once.

        Returns:
            A function that waits for the sum.
        """
        return self._begin(values, dist.ReduceOp.SUM)

    def begin_min(self, values: torch.Tensor) -> Callable[[], torch.Tensor]:
        """Begins to find the least of each entry of a CPU tensor over all ranks; returns at once.

        Returns:
            A function that waits for the least entries.
        """
        return self._begin(values, dist.ReduceOp.MIN)

    def _begin(
        self, values: torch.Tensor, operation: dist.ReduceOp.RedOpType
    ) -> Callable[[], torch.Tensor]:
        if self.group is None:
            return lambda: values
        total = values.clone()
        work = dist.all_reduce(total, op=operation, group=self.group, async_op=True)

        def wait() -> torch.Tensor:
            with self.in_collective():
                work.wait()
            return total

        return wait

    def sum_on_device(self, values: torch.Tensor) -> torch.Tensor:
        """Sums a tensor over all ranks in place, on its device, and returns it."""
        if self.world_size > 1:
            with self.in_collective():
                dist.all_reduce(values)
        return values

    @contextmanager
    def in_collective(self) -> Iterator[None]:
        """Notes, within its context, that this thread waits for other ranks."""
        thread = threading.get_ident()
        self._waiting.add(thread)
        try:
            with self.clock.waiting_for_peers() if thread == self._thread else nullcontext():
                yield
        finally:
            self._waiting.discard(thread)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Notes, within its context, that this thread works for itself in `in_collective`."""
        thread = threading.get_ident()
        self._waiting.discard(thread)
        try:
            yield
        finally:
            self._waiting.add(thread)
