"""The gradients of all embedding tables of a model, over all ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist
from torch import Tensor

from raymon.embeddings import (
    DenseRowGradients,
    EmbeddingTable,
    JointTable,
    PaddedRowGradients,
    RowGradients,
    ShardedEngine,
    SparseRowGradients,
    is_small,
    join_tables,
)

Waiting = Callable[[], AbstractContextManager[None]]
"""Makes a context within which a rank waits for others."""

RowsAlone = DenseRowGradients | PaddedRowGradients | SparseRowGradients
"""Gradients of a table whose looked-up rows ranks exchange on their own."""


class TableGradients:
    """Collects the gradients of tables by row, and adds them up over ranks.

    Args:
        tables: Trained tables, on their device; from now on their gradients are collected here, and
            those that `join_tables` joins are views of one memory.
        max_gradient: Limit that clips the gradients of looked-up embeddings by value; None for no
            limit.
        dense: Whether each table needs a dense `grad`, since its optimizer moves every row.
        sharded: Engine that holds the tables that no rank has whole; None if there are none.
        may_overflow: Whether gradients that are not finite are looked for, as in FP16, whose
            scaled losses may overflow.

    Attributes:
        tables: Gradients of each table that this rank has whole; joint tables are one.
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
        join_tables(tables)
        joints: dict[JointTable, list[EmbeddingTable]] = {}
        for table in tables:
            if table.joint is not None:
                joints.setdefault(table.joint, []).append(table)
        dense_joints = [j for j, members in joints.items() if dense or is_small(members[0])]
        # In one buffer, so that one collective exchanges them all.
        self._gradient = _flat_buffer(
            [j.weight.numel() for j in dense_joints], tables, torch.float32
        )
        self._touched = _flat_buffer([len(j.weight) for j in dense_joints], tables, torch.uint8)
        self._max_gradient = max_gradient
        self.tables: list[RowGradients] = []
        self._large: list[RowsAlone] = []
        offset = row = 0
        for joint, members in joints.items():
            weight, parts = joint.weight, [(table.weight, table.first_row) for table in members]
            if joint in dense_joints:
                gradient = self._gradient[offset : offset + weight.numel()].view_as(weight)
                touched = self._touched[row : row + len(weight)]
                joint.rows = DenseRowGradients(weight, gradient, touched, parts)
                offset, row = offset + weight.numel(), row + len(weight)
            else:
                joint.rows = PaddedRowGradients(weight, parts)
                self._large.append(joint.rows)
            self.tables.append(joint.rows)
            for table, part in zip(members, joint.rows.parts, strict=True):
                table.rows = part
        for table in tables:
            if table.joint is not None:
                continue
            weight = table.weight
            alone: RowsAlone = (
                DenseRowGradients(weight, torch.zeros_like(weight), None)
                if dense
                else SparseRowGradients(weight)
            )
            table.rows = alone
            self._large.append(alone)
            self.tables.append(alone)
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
            limit = self._max_gradient * scale
            clip = -limit, limit
            for table in self.tables:
                for rows in (table, *table.parts):
                    rows.clip = clip

    def exchange(
        self,
        world_size: int,
        group: dist.ProcessGroup | None = None,
        waiting: Waiting = nullcontext,
    ) -> None:
        """Averages gradients over ranks, and joins the rows of all ranks; every rank calls it.

        Afterwards all ranks have the same numbers, to the bit, in `grad` of the tables too.

        Args:
            world_size: Number of ranks.
            group: Process group of all ranks that exchanges tensors on the CPU; None for the
                default group.
            waiting: Makes a context within which the rank waits for others.
        """
        if world_size > 1 and len(self._gradient):
            self.settle()
            with waiting():
                dist.all_reduce(self._gradient)
                dist.all_reduce(self._touched, op=dist.ReduceOp.MAX)
            self._gradient.div_(world_size)
        if world_size > 1 and self._large:
            self._exchange_rows(world_size, group, waiting)
        if self.sharded is not None and self._may_overflow:
            self._agree_on_overflow(self.sharded, world_size, waiting)
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

    @property
    def checked(self) -> list[Tensor]:
        """Owners of further gradients that a `GradScaler` has to check, unscale, or both."""
        owners = [table.owner for table in self.tables if isinstance(table, PaddedRowGradients)]
        return owners if self.sharded is None else [*owners, self.overflow]

    def _agree_on_overflow(self, sharded: ShardedEngine, world_size: int, waiting: Waiting) -> None:
        flag = torch.where(sharded.is_finite(), 0.0, torch.inf)
        if world_size > 1:
            with waiting():
                dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        self.overflow.data = torch.zeros_like(flag)
        self.overflow.grad = flag

    def _exchange_rows(
        self, world_size: int, group: dist.ProcessGroup | None, waiting: Waiting
    ) -> None:
        own = [table.rows() for table in self._large]
        counts = [torch.zeros(len(own), dtype=torch.int64) for _ in range(world_size)]
        # On the CPU, as the host needs them: on a device it would have to wait for them.
        with waiting():
            dist.all_gather(counts, torch.tensor([len(rows) for rows in own]), group=group)
        for number, (table, rows) in enumerate(zip(self._large, own, strict=True)):
            of_ranks = [int(count[number]) for count in counts]
            values = table.values().div_(world_size)
            with waiting():
                all_rows, all_values = _gather(rows, of_ranks), _gather(values, of_ranks)
            # In the order of the ranks, and each on its own, so that all ranks round the same.
            table.replace(all_rows[0], all_values[0])
            for of_rank in zip(all_rows[1:], all_values[1:], strict=True):
                table.add(*of_rank)


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
