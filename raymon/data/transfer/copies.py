"""Copies of host memory to a device."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Protocol

import torch
from torch import Tensor


class Mark(Protocol):
    """A point in the work that is queued on a device."""

    def synchronize(self) -> None:
        """Waits until the device has done the work up to this point."""


class Copies(Protocol):
    """What a thread that copies batches needs of a device."""

    def on_thread(self) -> AbstractContextManager[object]:
        """Returns a context for `host_memory` and `start` on the thread that copies."""

    def host_memory(self, nbytes: int) -> Tensor:
        """Returns host memory to copy from, uint8 `[nbytes]`."""

    def start(self, host: Tensor) -> tuple[Tensor, Mark]:
        """Starts to copy host memory.

        Returns:
            Memory of the same size on the device, and the mark after the copy.
        """

    def use(self, memory: Tensor, copied: Mark) -> Mark:
        """Makes the work that the calling thread queues from now on wait for a copy.

        The calling thread waits for nothing.

        Args:
            memory: Memory on the device, which is used by that work.
            copied: Mark after its copy.

        Returns:
            The mark after the work that the calling thread has queued so far.
        """


class CudaCopies:
    """Copies to a CUDA device, on a stream of their own.

    Implements `Copies`. Memory on the device is that of torch's allocator: it is used again when
    nothing refers to it any more, and the streams that used it have come that far.

    Args:
        device: The device.
        pin_memory: Whether host memory is page-locked, so that a copy is made beside everything
            else; if not, `start` may wait for the copy.
    """

    def __init__(self, device: torch.device, pin_memory: bool) -> None:
        self._device = device
        self._pin_memory = pin_memory
        self._stream = _stream_of_copies(device)

    def on_thread(self) -> AbstractContextManager[object]:
        """Returns the context of the stream, and of its device."""
        return torch.cuda.stream(self._stream)

    def host_memory(self, nbytes: int) -> Tensor:
        """Returns host memory, page-locked if wanted."""
        return torch.empty(nbytes, dtype=torch.uint8, pin_memory=self._pin_memory)

    def start(self, host: Tensor) -> tuple[Tensor, Mark]:
        """Starts a copy on the stream."""
        memory = torch.empty(host.shape, dtype=torch.uint8, device=self._device)
        memory.copy_(host, non_blocking=True)
        return memory, _mark(self._stream)

    def use(self, memory: Tensor, copied: Mark) -> Mark:
        """Makes the current stream of the calling thread wait for a copy."""
        assert isinstance(copied, torch.cuda.Event)
        stream = torch.cuda.current_stream(self._device)
        before = _mark(stream)
        stream.wait_event(copied)
        # The memory belongs to the stream of copies. Parts of a batch may be kept beyond its step,
        # by metrics for example, so only the allocator knows when it can be used again.
        memory.record_stream(stream)
        return before


@cache
def _stream_of_copies(device: torch.device) -> torch.cuda.Stream:
    # One for all feeds: their memory can be used by one another.
    return torch.cuda.Stream(device)


def _mark(stream: torch.cuda.Stream) -> torch.cuda.Event:
    # A thread that waits for it sleeps.
    event = torch.cuda.Event(blocking=True)
    event.record(stream)
    return event
