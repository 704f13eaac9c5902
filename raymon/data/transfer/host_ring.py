"""Host memory that batches are copied from, used again and again."""

from __future__ import annotations

from collections import deque

from torch import Tensor

from raymon.data.transfer.copies import Copies, Mark

SLOTS = 3
"""Batches whose copies may be under way, or that are being packed."""


class HostRing:
    """A few pieces of host memory in turns, each as large as the largest batch it has held.

    Args:
        copies: Source of the memory.
    """

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        self._slots: deque[tuple[Tensor | None, Mark | None]] = deque([(None, None)] * SLOTS)

    def next(self, nbytes: int) -> Tensor:
        """Returns the next memory, uint8 `[nbytes]`, once the copy that read it is over."""
        memory, copied = self._slots[0]
        if copied is not None:
            copied.synchronize()
        if memory is None or memory.nbytes < nbytes:
            # Some more, because the batches of lists differ a little in their sizes.
            memory = self._copies.host_memory(nbytes + nbytes // 4)
        self._slots[0] = memory, None
        return memory[:nbytes]

    def keep(self, copied: Mark) -> None:
        """Keeps the memory that `next` returned last, until a copy is over."""
        memory, _ = self._slots.popleft()
        self._slots.append((memory, copied))
