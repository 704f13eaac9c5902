"""The gradients of all embedding tables of a model, over all ranks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from raymon.embeddings import (
    DenseRowGradients,
    EmbeddingTable,
    RowGradients,
    ShardedEngine,
    SparseRowGradients,
)

_SMALL = 32_768
"""Largest number of rows of a small table.

For a small table, ranks exchange the whole gradient, and mark looked-up rows instead of keeping
their ids: both cost less there. On CUDA all tables are treated like this, because then nothing
waits for the device.
"""


class TableGradients:
    """Collects the gradients of tables by row, and adds them up over ranks.

    Args:
        tables: Trained tables, on their device; from now on their gradients are collected here.
        max_gradient: Limit that clips the gradients of looked-up embeddings by value; None for no
            limit.
        dense: Whether each table needs a dense `grad`, since its optimizer moves every row.
        sharded: Engine that holds the tables that no rank has whole; None if there are none.
        may_overflow: Whether gradients may overflow, since losses are scaled for FP16.

    Attributes:
        tables: Gradients of each table that this rank has whole.
        sharded: Engine that holds the other tables; None if there are none.
        overflow: In its `grad`, 0 or, if a gradient of a sharded table is not finite on any rank,
            infinity, as a `GradScaler` looks for it; a parameter of no model.
    """

    def __init__(
        self,
        tables: Sequence[EmbeddingTable],
        max_gradient: float | None = None,
        *,
        dense: bool = False,
        sharded: ShardedEngine | None = None,
        may_overflow: bool = False,
    ) -> None:
        self.sharded = sharded
        self.overflow = torch.nn.Parameter(torch.zeros(()))
        self._may_overflow = may_overflow
        small = [t for t in tables if t.weight.is_cuda or len(t.weight) <= _SMALL]
        # In one buffer, so that one collective exchanges them all.
        self._gradient = _flat_buffer([t.weight.numel() for t in small], tables, torch.float32)
        self._touched = _flat_buffer([len(t.weight) for t in small], tables, torch.uint8)
        self._max_gradient = max_gradient
        self.tables: list[RowGradients] = []
        self._large: list[RowGradients] = []
        offset = row = 0
        for table in tables:
            weight = table.weight
            if table in small:
                gradient = self._gradient[offset : offset + weight.numel()].view_as(weight)
                touched = self._touched[row : row + len(weight)]
                table.rows = DenseRowGradients(weight, gradient, touched)
                offset, row = offset + weight.numel(), row + len(weight)
            elif dense:
                table.rows = DenseRowGradients(weight, torch.zeros_like(weight), None)
                self._large.append(table.rows)
            else:
                table.rows = SparseRowGradients(weight)
                self._large.append(table.rows)
            self.tables.append(table.rows)
        self.begin(torch.ones((), device=self._gradient.device))

    def begin(self, scale: Tensor) -> None:
        """Sets the scale of the gradients that are added next.

        Args:
            scale: Factor between these gradients and those of the loss of the global batch; a
                scalar on the device.
        """
        if self.sharded is not None:
            self.sharded.begin(scale)
        if self._max_gradient is not None:
            for table in self.tables:
                table.clip = self._max_gradient * scale

    def exchange(self, world_size: int) -> None:
        """Averages gradients over ranks, and joins the rows of all ranks; every rank calls it.

        Afterwards all ranks have the same numbers, to the bit, in `grad` of the tables too.
        """
        if world_size > 1 and len(self._gradient):
            self.settle()
            dist.all_reduce(self._gradient)
            self._gradient.div_(world_size)
            dist.all_reduce(self._touched, op=dist.ReduceOp.MAX)
        if world_size > 1 and self._large:
            self._exchange_rows(world_size)
        if self.sharded is not None and self._may_overflow:
            self._agree_on_overflow(self.sharded, world_size)
        self.settle()

    def settle(self) -> None:
        """Writes the sum of the added gradients to `grad` of each table, before it is read."""
        for table in self.tables:
            table.settle()

    def clear(self) -> None:
        """Resets gradients and rows."""
        for table in self.tables:
            table.clear()
        if self.sharded is not None:
            self.sharded.clear()

    def _agree_on_overflow(self, sharded: ShardedEngine, world_size: int) -> None:
        flag = torch.where(sharded.is_finite(), 0.0, torch.inf)
        if world_size > 1:
            dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        self.overflow.data = torch.zeros_like(flag)
        self.overflow.grad = flag

    def _exchange_rows(self, world_size: int) -> None:
        own = [table.rows() for table in self._large]
        counts = [torch.zeros(len(own), dtype=torch.int64) for _ in range(world_size)]
        dist.all_gather(counts, torch.tensor([len(rows) for rows in own]))
        for number, (table, rows) in enumerate(zip(self._large, own, strict=True)):
            of_ranks = [int(count[number]) for count in counts]
            all_rows = _gather(rows, of_ranks)
            all_values = _gather(table.values().div_(world_size), of_ranks)
            # In the order of the ranks, so that all ranks round the same.
            table.replace(torch.cat(all_rows), torch.cat(all_values))


def _flat_buffer(sizes: list[int], tables: Sequence[EmbeddingTable], dtype: torch.dtype) -> Tensor:
    device = tables[0].weight.device if tables else None
    return torch.zeros(sum(sizes), dtype=dtype, device=device)


def _gather(values: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """Returns the values of all ranks; rank i has `counts[i]` rows of them."""
    padded = values.new_zeros((max(counts), *values.shape[1:]))
    padded[: len(values)] = values
    gathered = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(gathered, padded)
    return [part[:count] for part, count in zip(gathered, counts, strict=True)]
