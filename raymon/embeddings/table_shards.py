"""The part of a table that a worker holds, where no worker holds all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shard:
    """A rectangle of a table.

    Attributes:
        row: Row of the table that is the first of the rectangle.
        column: Column of the table that is the first of the rectangle.
        values: Its numbers, `[n, d]`; the memory that training changes.
    """

    row: int
    column: int
    values: Tensor


@dataclass(frozen=True)
class TableShards:
    """What this worker holds of a table, or of a state of its optimizer.

    Attributes:
        shape: Shape of the whole, `[N, D]`; `[N, 1]` for a state of one number per row.
        dtype: Type of its numbers.
        shards: Rectangles that this worker holds; those of all workers cover the whole once.
    """

    shape: torch.Size
    dtype: torch.dtype
    shards: tuple[Shard, ...]

    @property
    def nbytes(self) -> int:
        """The bytes that this worker holds."""
        return sum(shard.values.nbytes for shard in self.shards)

    @torch.no_grad()
    def set_rows(self, rows: Tensor, values: Tensor) -> None:
        """Sets those of some rows that this worker holds.

        Args:
            rows: Indices of the rows in the whole, each once, int64 `[n]`.
            values: Their numbers, `[n, D]`, on any device.
        """
        for shard in self.shards:
            last = shard.row + len(shard.values)
            own = ((rows >= shard.row) & (rows < last)).nonzero().squeeze(1)
            columns = slice(shard.column, shard.column + shard.values.shape[1])
            held = values[own.to(values.device), columns]
            held = held.to(shard.values.device, shard.values.dtype)
            shard.values.index_copy_(0, (rows[own] - shard.row).to(shard.values.device), held)

    def with_values(self, values: Sequence[Tensor]) -> TableShards:
        """Returns the same rectangles with other numbers, such as a copy of them."""
        pairs = zip(self.shards, values, strict=True)
        moved = tuple(Shard(shard.row, shard.column, each) for shard, each in pairs)
        return TableShards(self.shape, self.dtype, moved)
