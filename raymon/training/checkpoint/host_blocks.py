"""Host memory that is cut into pieces again for every save."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

Memory = NDArray[np.uint8]
"""Bytes of host memory, `[n]`."""

_ALIGNMENT = 256
"""Bytes to whose multiples pieces are aligned, as those of torch's allocator on a device are."""

_SMALLEST = 1 << 20
"""Bytes of the smallest block."""

_HUGE = 1 << 22
"""Bytes from which on a block asks for huge pages, which are touched first in less time."""


class HostBlocks:
    """A few blocks of host memory, which are kept and used again.

    Memory of the system itself, as torch's allocator of page-locked memory rounds up to powers of
    two, which is up to twice the size of a large table.

    Args:
        prepare: Function that is called once with each new block, such as to lock its pages.
    """

    def __init__(self, prepare: Callable[[Memory], None] | None = None) -> None:
        self._prepare = prepare
        self._blocks: list[Memory] = []

    @property
    def nbytes(self) -> int:
        """The bytes of all blocks."""
        return sum(len(block) for block in self._blocks)

    def cut(self, sizes: Sequence[int]) -> list[Memory]:
        """Returns a piece for each size; pieces of earlier calls are given out again.

        Each goes into the first block with room. What finds none goes into one new block. Equal
        sizes in an equal order give equal pieces.

        Args:
            sizes: Bytes of each piece.
        """
        taken = [0] * len(self._blocks)
        places = [self._place(size, taken) for size in sizes]
        missing = sum(_rounded(n) for n, place in zip(sizes, places, strict=True) if place is None)
        if missing or not self._blocks:
            self._add(missing)
            taken.append(0)
        pieces = []
        for size, found in zip(sizes, places, strict=True):
            place = found or self._place(size, taken)
            assert place is not None  # the new block has room for all that found none
            block, begin = place
            pieces.append(self._blocks[block][begin : begin + size])
        return pieces

    def _place(self, size: int, taken: list[int]) -> tuple[int, int] | None:
        """Returns the block of a piece and where it begins there, and takes it."""
        for number, begin in enumerate(taken):
            if begin + size <= len(self._blocks[number]):
                taken[number] += _rounded(size)
                return number, begin
        return None

    def _add(self, nbytes: int) -> None:
        size = max(nbytes, _SMALLEST)
        pages = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if size >= _HUGE:
            with suppress(OSError):  # a kernel without huge pages
                pages.madvise(mmap.MADV_HUGEPAGE)
        block = np.frombuffer(pages, dtype=np.uint8)
        if self._prepare is not None:
            self._prepare(block)
        self._blocks.append(block)


def touch(memory: Memory) -> None:
    """Has the system give memory to each page of a block, which it does when it is written to."""
    memory[:: mmap.PAGESIZE] = 0


def _rounded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
