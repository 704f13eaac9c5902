"""Rows of many small batches, copied into one large piece of memory.

To keep the batches themselves costs a training more than to copy them: between what a step
allocates and frees they are in the way, and it gets new memory from the system time and again.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

CHUNK_ROWS = 1 << 16
"""Rows of a chunk."""

_ROW_BYTES = 256
"""Batches whose rows are larger are kept as they are."""


class RowChunk:
    """Memory for rows of several columns on the CPU.

    Args:
        columns: A batch `[B, ...]` of each, of at most `CHUNK_ROWS` rows; it is the first.
    """

    def __init__(self, columns: Sequence[Tensor]) -> None:
        self._form = form(columns)
        self._memory = [
            torch.empty(CHUNK_ROWS, *c.shape[1:], dtype=c.dtype, device="cpu") for c in columns
        ]
        self._rows = 0
        self.add(columns)

    def add(self, columns: Sequence[Tensor]) -> bool:
        """Copies a batch; false where it is another kind of batch or there is no room for it."""
        return form(columns) == self._form and self.add_rows(columns)

    def add_rows(self, columns: Sequence[Tensor]) -> bool:
        """Copies a batch of the same kind; false where there is no room for it."""
        rows = columns[0].shape[0]
        if self._rows + rows > CHUNK_ROWS:
            return False
        for memory, column in zip(self._memory, columns, strict=True):
            memory[self._rows : self._rows + rows].copy_(column)
        self._rows += rows
        return True

    def columns(self) -> list[Tensor]:
        """All rows so far, by column."""
        return [memory[: self._rows] for memory in self._memory]

    def reuse(self, columns: Sequence[Tensor]) -> bool:
        """Forgets its rows and begins with a batch; false where that is another kind of batch."""
        if form(columns) != self._form:
            return False
        self._rows = 0
        return self.add(columns)


Form = tuple[tuple[torch.dtype, torch.Size], ...]


def form(columns: Sequence[Tensor]) -> Form:
    """What has to be equal for rows to be in one piece of memory."""
    return tuple((column.dtype, column.shape[1:]) for column in columns)


def fits(columns: Sequence[Tensor]) -> bool:
    """Whether a batch is worth copying: on the CPU, and small."""
    return (
        all(c.device.type == "cpu" and c.ndim > 0 and len(c) <= CHUNK_ROWS for c in columns)
        and sum(c.element_size() * c[:1].numel() for c in columns) <= _ROW_BYTES
    )
