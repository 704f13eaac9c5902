"""Batches on the device of a rank, copied ahead of the steps that use them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import TypeVar

import torch

from raymon.data.batch import Batch
from raymon.data.transfer.copies import Copies, CudaCopies
from raymon.data.transfer.copy_thread import CopyThread

AHEAD = 2
"""Batches that are copied, or being copied, while a step uses the one before them."""

Item = TypeVar("Item")


def on_device(
    items: Iterator[Item],
    batch_of: Callable[[Item], Batch],
    device: torch.device,
    pin_memory: bool,
    moving: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Generator[tuple[Item, Batch], None, None]:
    """Yields items, each with its batch on a device.

    On the CPU that is the batch itself. For a CUDA device each batch goes through one piece of
    memory and one copy, which a thread makes while the batches before it are used. The calling
    thread draws the items, `AHEAD` of them early; it copies nothing, and waits for no copy.

    Args:
        items: Items, with batches on the CPU.
        batch_of: Function from an item to its batch.
        device: The CPU, or a CUDA device.
        pin_memory: Whether batches are copied from page-locked memory.
        moving: Makes a context within which the calling thread waits for the copy of a batch to
            begin.
    """
    if device.type == "cpu":
        for item in items:
            yield item, batch_of(item)
        return
    with closing(copied_ahead(items, batch_of, CudaCopies(device, pin_memory), moving)) as batches:
        yield from batches


def copied_ahead(
    items: Iterator[Item],
    batch_of: Callable[[Item], Batch],
    copies: Copies,
    moving: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Generator[tuple[Item, Batch], None, None]:
    """Yields items with copies of their batches, as `on_device` does.

    An exception of `items`, or of a copy, is raised at its place among them. Closing the generator
    ends its thread.

    Args:
        items: Items, with batches on the CPU.
        batch_of: Function from an item to its batch.
        copies: Maker of the copies.
        moving: As of `on_device`.
    """
    thread = CopyThread(copies)
    waiting: deque[Item] = deque()
    ended, failure = False, None
    try:
        while waiting or not ended:
            while not ended and len(waiting) <= AHEAD:
                try:
                    item = next(items)
                except StopIteration:
                    ended = True
                except Exception as error:
                    ended, failure = True, error
                else:
                    thread.put(batch_of(item))
                    waiting.append(item)
            if waiting:
                with moving():
                    batch = thread.take()
                yield waiting.popleft(), batch
        if failure is not None:
            raise failure
    finally:
        failure = None  # else it would keep itself by its traceback, and the batches with it
        thread.close()
