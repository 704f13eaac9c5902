"""A device in plain memory, which does everything as late as a device may do it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from raymon.data.transfer.copies import Mark


class _MarkAt:
    """A mark, which makes the device work up to it."""

    def __init__(self, work: Callable[[int], None], place: int) -> None:
        self.work = work
        self.place = place

    def synchronize(self) -> None:
        self.work(self.place)


class LazyDevice:
    """A device with a queue of copies and one of steps, which wait for copies.

    Implements `Copies`. Nothing of a queue is done before somebody waits for it, so whatever is
    overwritten too early is seen.

    Args:
        at_once: Whether copies are made as soon as somebody uses them, for steps on the CPU.

    Attributes:
        threads: Names of the threads that made memory or started copies.
        unfinished: Steps that were not over, at the start of each copy.
        sizes: Bytes of the host memory that was made.
    """

    def __init__(self, at_once: bool = False) -> None:
        self._at_once = at_once
        self._lock = threading.RLock()
        self._copies: list[Callable[[], object]] = []
        self._steps: list[tuple[int, Callable[[], object]]] = []
        self._copied = self._stepped = self._awaited = 0
        self.threads: set[str] = set()
        self.unfinished: list[int] = []
        self.sizes: list[int] = []

    def on_thread(self) -> AbstractContextManager[object]:
        return nullcontext()

    def host_memory(self, nbytes: int) -> Tensor:
        self.threads.add(threading.current_thread().name)
        self.sizes.append(nbytes)
        return torch.full((nbytes,), 171, dtype=torch.uint8)

    def start(self, host: Tensor) -> tuple[Tensor, Mark]:
        with self._lock:
            self.threads.add(threading.current_thread().name)
            self.unfinished.append(len(self._steps) - self._stepped)
            memory = torch.full_like(host, 205)
            self._copies.append(lambda: memory.copy_(host))
            return memory, _MarkAt(self._copy_up_to, len(self._copies))

    def use(self, memory: Tensor, copied: Mark) -> Mark:
        assert isinstance(copied, _MarkAt)
        with self._lock:
            self._awaited = max(self._awaited, copied.place)
            if self._at_once:
                self._copy_up_to(self._awaited)
            return _MarkAt(self._step_up_to, len(self._steps))

    def queue(self, step: Callable[[], object]) -> None:
        """Queues a step, after the copies that were used so far."""
        with self._lock:
            self._steps.append((self._awaited, step))

    def finish(self) -> None:
        """Does all that is queued."""
        self._step_up_to(len(self._steps))

    def _copy_up_to(self, place: int) -> None:
        with self._lock:
            while self._copied < place:
                self._copies[self._copied]()
                self._copied += 1

    def _step_up_to(self, place: int) -> None:
        with self._lock:
            while self._stepped < place:
                awaited, step = self._steps[self._stepped]
                self._copy_up_to(awaited)
                step()
                self._stepped += 1
