"""A dense gradient of a table, and which of its rows were looked up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from raymon.embeddings.part_gradients import PartGradients
from raymon.embeddings.row_gradients import RowGradients


class DenseRowGradients(RowGradients):
    """A dense gradient, and which of its rows were looked up.

    The gradient is kept from step to step, and is zero except for the rows that were looked up. It
    is the `grad` of its owner, once something was added or `settle` was called.

    Args:
        table: Table, `[N, D]`.
        gradient: Memory for the gradient, zero, `[N, D]`.
        touched: Mask that becomes 1 for rows that are looked up, zero at first, uint8 `[N]`; None
            to keep ids instead.
        tables: Tables that a joint table is made of, each with the index of its first row; empty if
            it is none.
    """

    def __init__(
        self,
        table: nn.Parameter,
        gradient: Tensor,
        touched: Tensor | None,
        tables: Sequence[tuple[nn.Parameter, int]] = (),
    ) -> None:
        super().__init__(table)
        self.gradient = gradient
        self.touched = touched
        self._ids: list[Tensor] = []
        self._rows: Tensor | None = None
        self._is_over = False
        # What each owner has as its `grad`; nobody asks that of a joint table.
        self._shown: list[tuple[Tensor, Tensor]] = [(self.owner, gradient)]
        self._parts: list[_Part] = []
        if tables:
            assert touched is not None, "a joint table has a mask"
            self.parts = self._parts = [_Part(part, first, self) for part, first in tables]
            self._shown = [(part.owner, part.gradient) for part in self._parts]
        self._show(True)

    @property
    def is_masked(self) -> bool:
        """Whether a mask says which rows were looked up, so that nothing has to wait for ids."""
        return self.touched is not None

    def add(self, ids: Tensor, gradients: Tensor) -> None:
        """Adds the gradients to those of the table, and marks the rows as looked up."""
        self.settle()
        self.gradient.index_add_(0, ids, gradients)
        self.touch(self.touched, ids)

    def replace(self, ids: Tensor, gradients: Tensor) -> None:
        """Zeroes the rows that were looked up, and then adds the gradients, of any rows."""
        self.gradient.index_fill_(0, self.rows(), 0)
        self.add(ids, gradients)

    def rows(self) -> Tensor:
        """Returns the indices of looked-up rows, ascending, int64 `[n]`; waits for the device."""
        self.settle()
        if self._rows is None:
            self._rows = self._find_rows()
        return self._rows

    def values(self) -> Tensor:
        """Returns a copy of the gradients of `rows`, `[n, D]`."""
        return self.gradient.index_select(0, self.rows())

    def clear(self) -> None:
        """Begins the next group."""
        if self.touched is None:
            self.gradient.index_fill_(0, self.rows(), 0)
            self._ids.clear()
            self._rows = None
            self._show(True)
        else:
            self._is_over = True
            for part in self._parts:
                part.is_over = True
            self._show(False)

    def settle(self) -> None:
        """Zeroes the gradient if a group is over and the next one has added nothing yet.

        This is done as late as possible, because additions to memory that was just written take a
        tenth of the time.
        """
        if self._is_over and self.touched is not None:
            over = [part for part in self._parts if part.is_over]
            if len(over) == len(self._parts):
                self.gradient.zero_()
                self.touched.zero_()
            for part in over:
                part.is_over = False
                if len(over) < len(self._parts):
                    part.zero()
            self._rows = None
            self._is_over = False
            self._show(True)

    def take_whole(self) -> None:
        """Takes over a gradient of the whole table from its `grad`."""
        found = self.table.grad
        self.settle()
        if found is not None and found is not self.gradient:
            self.gradient.add_(found)
            if self.owner is not self.table:
                self.table.grad = None
        self.touch(self.touched, torch.arange(len(self.gradient), device=self.gradient.device))

    def _show(self, shown: bool) -> None:
        for owner, gradient in self._shown:
            owner.grad = gradient if shown else None

    def touch(self, touched: Tensor | None, ids: Tensor) -> None:
        """Marks rows as looked up, in the mask or in a part of it; None for no mask."""
        self._rows = None
        if touched is None:
            self._ids.append(ids)
        elif touched.is_cpu:
            # By numpy: torch takes four times as long for it.
            touched.numpy()[ids.numpy()] = 1
        else:
            touched.index_fill_(0, ids, 1)

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


class _Part(PartGradients):
    """A part of a dense gradient, and of the mask of its rows.

    Attributes:
        is_over: Whether it still has to be zeroed, as a group is over.
    """

    gradient: Tensor

    def __init__(self, table: nn.Parameter, first: int, joint: DenseRowGradients) -> None:
        super().__init__(table, first, joint)
        assert joint.touched is not None
        self.gradient = joint.gradient[self.first : self.end]
        self._touched = joint.touched[self.first : self.end]
        self._dense = joint
        self.is_over = False

    def add(self, ids: Tensor, gradients: Tensor) -> None:
        """Adds the gradients to those of the table, and marks the rows as looked up."""
        if not self.gradient.is_cpu:
            self._dense.settle()
        elif self.is_over:
            # This part alone: it is in the cache then.
            self.zero()
            self.is_over = False
        self.gradient.index_add_(0, ids, gradients)
        self._dense.touch(self._touched, ids)

    def zero(self) -> None:
        """Zeroes the part, on the CPU."""
        self.gradient.numpy().fill(0)
        self._touched.numpy().fill(0)
