"""The gradient of one embedding table, and which of its rows were looked up for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raymon.data import IdList


class RowGradients:
    """The gradient that the steps of a group add to a table, row by row.

    The gradient is dense, is kept from step to step, and is zero except for the rows that were
    looked up, so that nothing iterates over the rows of a large table. It is the `grad` of the
    table, once something was added or `settle` was called.

    Args:
        table: Table, `[N, D]`.
        gradient: Memory for the gradient, zero, `[N, D]`.
        touched: Mask that becomes 1 for rows that are looked up, zero at first, uint8 `[N]`; None
            to keep ids instead, for a table that is large compared with what a step looks up.

    Attributes:
        clip: Bound to which the gradients of looked up embeddings are clamped, [-clip, clip], a
            scalar on the device; None for no bound.
    """

    def __init__(self, table: nn.Parameter, gradient: Tensor, touched: Tensor | None) -> None:
        self.table = table
        self.gradient = gradient
        self.touched = touched
        self.clip: Tensor | None = None
        # Autograd asks for its gradient in place of that of the table.
        self.anchor = torch.zeros((), device=table.device, requires_grad=True)
        self._ids: list[Tensor] = []
        self._rows: Tensor | None = None
        self._is_over = False
        table.grad = gradient
        # Code that uses a table in another way than by ids touches all of its rows.
        table.register_post_accumulate_grad_hook(lambda _: self._take_whole())

    def add(self, ids: Tensor, gradients: Tensor) -> None:
        """Adds the gradients `[n, D]` of looked up rows, one for each id; ids may repeat."""
        self.settle()
        self.gradient.index_add_(0, ids, gradients)
        self.touch(ids)

    def touch(self, ids: Tensor) -> None:
        """Marks rows as looked up."""
        self.settle()
        self._rows = None
        if self.touched is None:
            self._ids.append(ids)
        elif self.touched.is_cpu:
            # By numpy: torch takes four times as long for it.
            self.touched.numpy()[ids.numpy()] = 1
        else:
            self.touched.index_fill_(0, ids, 1)

    def rows(self) -> Tensor:
        """Returns the rows that were looked up, rising; waits for the device."""
        self.settle()
        if self._rows is None:
            self._rows = self._find_rows()
        return self._rows

    def clear(self) -> None:
        """Begins the next group."""
        if self.touched is None:
            self.gradient.index_fill_(0, self.rows(), 0)
            self._ids.clear()
            self._rows = None
            self.table.grad = self.gradient
        else:
            self._is_over = True
            self.table.grad = None

    def settle(self) -> None:
        """Zeroes the gradient if a group is over and the next one has added nothing yet.

        It is done as late as that because additions to memory that was just written take a tenth of
        the time.
        """
        if self._is_over and self.touched is not None:
            self.gradient.zero_()
            self.touched.zero_()
            self._rows = None
            self._is_over = False
            self.table.grad = self.gradient

    def _find_rows(self) -> Tensor:
        if self.touched is not None and self.touched.is_cpu:
            rows: Tensor = torch.from_numpy(np.flatnonzero(self.touched.numpy()))
            return rows
        if self.touched is not None:
            return self.touched.nonzero().squeeze(1)
        if not self._ids:
            return torch.empty(0, dtype=torch.int64, device=self.gradient.device)
        looked_up: Tensor = torch.unique(torch.cat(self._ids))
        return looked_up

    def _take_whole(self) -> None:
        found = self.table.grad
        self.settle()
        if found is not None and found is not self.gradient:
            self.gradient.add_(found)
        self.touch(torch.arange(len(self.gradient), device=self.gradient.device))


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
        gradient = gradients[0].to(rows.gradient.dtype)
        if rows.clip is not None:
            gradient = gradient.clamp(-rows.clip, rows.clip)
        rows.add(ids.values, _of_ids(gradient, ids, ctx.pooling).contiguous())
        return None, None, None, None, None


_collected: Callable[[Tensor, Tensor, IdList, str, RowGradients], Tensor] = _Collected.apply


def collected(rows: RowGradients, ids: IdList, pooling: str) -> Tensor:
    """Returns the pooled embeddings `[B, D]`, whose gradient is added to that of the rows."""
    return _collected(rows.anchor, rows.table.detach(), ids, pooling, rows)


def look_up(table: Tensor, ids: IdList, pooling: str) -> Tensor:
    """Returns the pooled embeddings `[B, D]` of B rows; zero for a row without ids."""
    if ids.weights is not None:
        offsets = ids.offsets
        if offsets is None:
            offsets = torch.arange(len(ids.values), device=ids.values.device)
        weights = ids.weights.to(table.dtype)
        return F.embedding_bag(ids.values, table, offsets, mode="sum", per_sample_weights=weights)
    if ids.offsets is None:
        return F.embedding(ids.values, table)
    return F.embedding_bag(ids.values, table, ids.offsets, mode=pooling)


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
