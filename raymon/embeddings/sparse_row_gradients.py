"""The gradients of the rows of a large table that a step looked up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.embeddings.row_gradients import RowGradients


class SparseRowGradients(RowGradients):
    """Gradients of only the looked-up rows, for a table with many more rows than those.

    Nothing here has the size of the table: `grad` of the owner is None until `settle`, and then a
    sparse tensor.
    """

    def __init__(self, table: nn.Parameter) -> None:
        super().__init__(table)
        self._parts: list[tuple[Tensor, Tensor]] = []
        self._sum: tuple[Tensor, Tensor] | None = None
        self._is_settled = False

    def add(self, ids: Tensor, gradients: Tensor) -> None:
        """Keeps the gradients; those of repeated ids are summed when they are asked for."""
        self._parts.append((ids, gradients))
        self._sum = None
        if self._is_settled:
            self.owner.grad, self._is_settled = None, False

    def replace(self, ids: Tensor, gradients: Tensor) -> None:
        """Keeps these gradients in place of all that was added before."""
        self._parts = []
        self.add(ids, gradients)

    def rows(self) -> Tensor:
        """Returns the indices of looked-up rows, ascending, int64 `[n]`."""
        return self._summed()[0]

    def values(self) -> Tensor:
        """Returns the gradients of `rows`, `[n, D]`."""
        return self._summed()[1]

    def settle(self) -> None:
        """Makes `grad` of the owner a sparse tensor, which shares the memory of `values`."""
        if self._is_settled:
            return
        rows, values = self._summed()
        self.owner.grad = torch.sparse_coo_tensor(
            rows.unsqueeze(0), values, self.table.shape, check_invariants=False, is_coalesced=True
        )
        self._is_settled = True

    def clear(self) -> None:
        """Begins the next group."""
        self._parts, self._sum = [], None
        self.owner.grad = None
        self._is_settled = False

    def take_whole(self) -> None:
        """Takes over a gradient of the whole table from its `grad`."""
        found, self.table.grad = self.table.grad, None
        if self._is_settled and self.owner is self.table:
            # Autograd has added to the gradient of the rows.
            self._parts, self._is_settled = [], False
        if found is not None:
            self.add(torch.arange(len(found), device=found.device), found.to_dense().to(self.dtype))

    def _summed(self) -> tuple[Tensor, Tensor]:
        if self._sum is None:
            self._sum = self._add_up()
        return self._sum

    def _add_up(self) -> tuple[Tensor, Tensor]:
        if not self._parts:
            none = torch.empty(0, dtype=torch.int64, device=self.table.device)
            return none, self.owner.new_zeros(0, self.table.shape[1])
        ids, gradients = (torch.cat(parts) for parts in zip(*self._parts, strict=True))
        rows, place = torch.unique(ids, return_inverse=True)
        # In the order in which they were added, whatever the number of threads.
        sums = gradients.new_zeros(len(rows), gradients.shape[1]).index_add_(0, place, gradients)
        self._parts = [(rows, sums)]
        return rows, sums
