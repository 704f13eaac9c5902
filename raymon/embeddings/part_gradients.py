"""The gradient of one of the tables that lie in one memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.embeddings.row_gradients import RowGradients


class PartGradients(RowGradients):
    """The rows of one table among those of a joint table, which holds all gradients.

    Args:
        table: Table, `[N, D]`.
        first: Index of its first row in the joint table.
        joint: Gradients of the joint table.

    Attributes:
        gradient: Its part of the gradient of the joint table, `[N, D]`, in the same memory; None if
            that has only looked-up rows.
    """

    gradient: Tensor | None = None

    def __init__(self, table: nn.Parameter, first: int, joint: RowGradients) -> None:
        super().__init__(table)
        self.first = first
        self._joint = joint

    @property
    def end(self) -> int:
        """Index after its last row in the joint table."""
        return self.first + len(self.table)

    def add(self, ids: Tensor, gradients: Tensor) -> None:
        """Adds the gradients to those of the joint table."""
        self._joint.add(ids + self.first, gradients)

    def rows(self) -> Tensor:
        """Returns the indices of looked-up rows, ascending, int64 `[n]`; waits for the device."""
        rows = self._joint.rows()
        return rows[self._is_own(rows)] - self.first

    def values(self) -> Tensor:
        """Returns a copy of the gradients of `rows`, `[n, D]`."""
        return self._joint.values()[self._is_own(self._joint.rows())]

    def measured(self) -> tuple[Tensor, int] | None:
        """Returns the numbers of the gradient, to measure them; waits for no device."""
        if self.gradient is not None:
            return self.gradient, 0
        rows, values = self._joint.rows(), self._joint.values()
        count, own = len(self.table), self._is_own(rows)
        if len(rows) <= count:
            # Rows of other tables count as rows that were not looked up.
            values = values.masked_fill(~own.unsqueeze(1), 0)
            return values, self.table.numel() - values.numel()
        # Those of other tables go to one row more.
        own = torch.where(own, rows - self.first, count)
        whole = values.new_zeros(count + 1, values.shape[1]).index_add_(0, own, values)
        return whole[:count], 0

    def settle(self) -> None:
        """Settles the joint table."""
        self._joint.settle()

    def clear(self) -> None:
        """Begins the next group of the joint table."""
        self._joint.clear()

    def take_whole(self) -> None:
        """Takes over a gradient of the whole table from its `grad`."""
        found = self.table.grad
        if found is not None and found is self.gradient:
            # Autograd has added to the memory of the joint gradient.
            found = torch.zeros_like(found)
        else:
            self.table.grad = None
        self._joint.settle()
        if found is not None:
            rows = torch.arange(len(self.table), device=self.table.device)
            self.add(rows, found.to_dense().to(self.dtype))

    def _is_own(self, rows: Tensor) -> Tensor:
        return (rows >= self.first) & (rows < self.end)
