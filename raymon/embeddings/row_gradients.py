"""The gradient of one embedding table, and which of its rows were looked up for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raymon.data import IdList
from raymon.embeddings.data_types import gradient_owner, row_type


class RowGradients(ABC):
    """The gradient that the steps of a group add to a table, row by row, in float32 or more.

    Args:
        table: Table, `[N, D]`.

    Attributes:
        owner: Tensor that has the gradient as its `grad`: the table, if that has the type of it.
        dtype: Type of the gradient.
        clip: Smallest and largest gradient of a looked-up embedding, to which others are clamped,
            scalars on the device; None for no bounds.
        parts: Gradients of the tables that this one is made of, in the order of their rows; itself
            alone if it is no joint table.
    """

    def __init__(self, table: nn.Parameter) -> None:
        self.table = table
        self.owner = gradient_owner(table)
        self.dtype = self.owner.dtype
        self.clip: tuple[Tensor, Tensor] | None = None
        # Autograd computes a gradient only if some input requires one: this scalar does, in place
        # of the table.
        self.anchor = torch.zeros((), device=table.device, requires_grad=True)
        self.parts: Sequence[RowGradients] = (self,)
        # Code that uses a table other than by ids, such as a penalty on it, touches all rows.
        table.register_post_accumulate_grad_hook(lambda _: self.take_whole())

    @abstractmethod
    def add(self, ids: Tensor, gradients: Tensor) -> None:
        """Adds the gradients `[n, D]` of looked up rows, one for each id; ids may repeat."""

    @abstractmethod
    def rows(self) -> Tensor:
        """Returns the indices of looked-up rows, ascending, int64 `[n]`; waits for the device."""

    @abstractmethod
    def values(self) -> Tensor:
        """Returns the gradients of `rows`, `[n, D]`, which may be changed before `clear`."""

    def clipped(self, gradient: Tensor) -> Tensor:
        """Returns the gradient of looked-up embeddings, in the type of that of rows, clamped."""
        gradient = gradient.to(self.dtype)
        return gradient if self.clip is None else gradient.clamp(*self.clip)

    def measured(self) -> tuple[Tensor, int] | None:
        """Returns the numbers of the gradient, to measure them; waits for no device.

        Returns:
            Numbers in any order, and how many more there are, all 0; None if there is no gradient.
        """
        return None if self.owner.grad is None else numbers_of(self.owner.grad)

    @abstractmethod
    def settle(self) -> None:
        """Writes the sum of what was added since `clear` to `grad` of the owner."""

    @abstractmethod
    def clear(self) -> None:
        """Begins the next group."""

    @abstractmethod
    def take_whole(self) -> None:
        """Takes over a gradient of the whole table from its `grad`."""


class _Collected(torch.autograd.Function):
    """Pooled embeddings whose gradient goes to `RowGradients`, and not to the table."""

    @staticmethod
    def forward(
        ctx: Any, anchor: Tensor, table: Tensor, ids: IdList, pooling: str, rows: RowGradients
    ) -> Tensor:
        """Returns the pooled embeddings, `[B, D]`."""
        ctx.ids, ctx.pooling, ctx.rows = ids, pooling, rows
        return look_up(table, ids, pooling)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, None, None, None]:
        """Adds the gradient to that of the rows; there is none for the arguments."""
        ids, rows = ctx.ids, ctx.rows
        gradient = rows.clipped(gradients[0])
        rows.add(ids.values, _of_ids(gradient, ids, ctx.pooling).contiguous())
        return None, None, None, None, None


_collected: Callable[[Tensor, Tensor, IdList, str, RowGradients], Tensor] = _Collected.apply


def collected(rows: RowGradients, ids: IdList, pooling: str) -> Tensor:
    """Returns the pooled embeddings `[B, D]`, whose gradient is added to that of the rows."""
    return _collected(rows.anchor, rows.table.detach(), ids, pooling, rows)


def look_up(table: Tensor, ids: IdList, pooling: str) -> Tensor:
    """Returns the pooled embeddings `[B, D]` of B rows, in float32 or more; zero without ids."""
    if row_type(table.dtype) != table.dtype:
        # Rows are added up in float32, and only those that are looked up are converted.
        table = table.index_select(0, ids.values).to(row_type(table.dtype))
        each = torch.arange(ids.values.shape[0], device=table.device)
        if ids.offsets is None and ids.weights is None:
            return table
        ids = IdList(each, ids.offsets, ids.weights)
    if ids.weights is not None:
        offsets = ids.offsets
        if offsets is None:
            offsets = torch.arange(len(ids.values), device=ids.values.device)
        weights = ids.weights.to(table.dtype)
        return F.embedding_bag(ids.values, table, offsets, mode="sum", per_sample_weights=weights)
    if ids.offsets is None:
        return F.embedding(ids.values, table)
    return F.embedding_bag(ids.values, table, ids.offsets, mode=pooling)


def numbers_of(gradient: Tensor) -> tuple[Tensor, int]:
    """Returns numbers of a dense or sparse gradient, and how many more it has, all 0."""
    values = gradient.coalesce().values() if gradient.is_sparse else gradient
    return values, gradient.numel() - values.numel()


def _of_ids(gradient: Tensor, ids: IdList, pooling: str) -> Tensor:
    """Returns the gradient of every id `[n, D]`, from that of the pooled embeddings `[B, D]`."""
    if ids.offsets is not None:
        count = len(ids.values)
        # Filled on the device: a copy of the number would wait.
        ends = F.pad(ids.offsets[1:], (0, 1), value=count)
        lengths = ends - ids.offsets
        if pooling == "mean" and ids.weights is None:
            gradient = gradient / lengths.clamp_min(1).unsqueeze(1)
        gradient = gradient.repeat_interleave(lengths, 0, output_size=count)
    if ids.weights is not None:
        gradient = gradient * ids.weights.to(gradient.dtype).unsqueeze(1)
    return gradient
