"""The gradients of the rows that a step looked up, on a device that nobody waits for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raymon.embeddings.part_gradients import PartGradients
from raymon.embeddings.row_gradients import RowGradients


class PaddedRowGradients(RowGradients):
    """Gradients of only the looked-up rows of a joint table, as many as there are lookups.

    Only the device knows how many different rows these are. So `rows` has as many entries as ids
    were looked up: first each row once, ascending, then the spare row again and again, with a
    gradient of zero. `grad` of the owner is a sparse tensor of these, once it is settled.

    Args:
        table: The joint table, `[N + 1, D]`, whose last row is spare.
        tables: Tables that it is made of, each with the index of its first row.
    """

    def __init__(self, table: nn.Parameter, tables: Sequence[tuple[nn.Parameter, int]]) -> None:
        super().__init__(table)
        self._spare = len(table) - 1
        self._added: list[tuple[Tensor, Tensor]] = []
        self._sum: tuple[Tensor, Tensor] | None = None
        self.parts = [PartGradients(part, first, self) for part, first in tables]

    def add(self, ids: Tensor, gradients: Tensor) -> None:
        """Keeps the gradients; those of repeated ids are summed when they are asked for."""
        self._added.append((ids, gradients))
        self._sum = self.owner.grad = None

    def replace(self, ids: Tensor, gradients: Tensor) -> None:
        """Keeps these gradients in place of all that was added before."""
        self._added = []
        self.add(ids, gradients)

    def rows(self) -> Tensor:
        """Returns the indices of looked-up rows, then of the spare row, int64 `[n]`."""
        return self._summed()[0]

    def values(self) -> Tensor:
        """Returns the gradients of `rows`, `[n, D]`."""
        return self._summed()[1]

    def settle(self) -> None:
        """Makes `grad` of the owner a sparse tensor, which shares the memory of `values`."""
        if self.owner.grad is None:
            rows, values = self._summed()
            self.owner.grad = torch.sparse_coo_tensor(
                rows.unsqueeze(0), values, self.table.shape, check_invariants=False,
                is_coalesced=True,
            )  # fmt: skip

    def clear(self) -> None:
        """Begins the next group."""
        self._added = []
        self._sum = self.owner.grad = None

    def take_whole(self) -> None:
        """Takes over nothing: no one uses the joint table as a whole."""

    def _summed(self) -> tuple[Tensor, Tensor]:
        if self._sum is None:
            self._sum = self._add_up()
            self._added = [self._sum] if self._added else []
        return self._sum

    def _add_up(self) -> tuple[Tensor, Tensor]:
        if not self._added:
            none = torch.empty(0, dtype=torch.int64, device=self.table.device)
            return none, torch.zeros(0, self.table.shape[1], dtype=self.dtype, device=none.device)
        ids = torch.cat([added for added, _ in self._added])
        sums = torch.zeros(len(ids), self.table.shape[1], dtype=self.dtype, device=ids.device)
        if not len(ids):
            return ids, sums
        ordered, order = ids.sort(stable=True)
        # The number of the row of each id, in ascending order of the rows.
        is_next = ordered[1:] != ordered[:-1]
        number = torch.nn.functional.pad(is_next.cumsum(0), (1, 0))
        rows = torch.full_like(ordered, self._spare).scatter_(0, number, ordered)
        number_of = torch.empty_like(order).scatter_(0, order, number)
        # A GPU adds what is at one place in any order. So each part is added on its own: no rank
        # has a row twice, and all ranks round the same.
        numbers = number_of.split([len(added) for added, _ in self._added])
        for of_part, (_, gradients) in zip(numbers, self._added, strict=True):
            sums.index_add_(0, of_part, gradients)
        return rows, sums
