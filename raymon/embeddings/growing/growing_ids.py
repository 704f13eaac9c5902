"""The rows of the ids of one table that grows."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from raymon.data import Growth
from raymon.embeddings.growing.admission import admitted
from raymon.embeddings.growing.eviction import LowestScores, best, scores, worst
from raymon.embeddings.growing.id_counts import IdCounts, add_up
from raymon.embeddings.growing.id_index import LARGEST, IdIndex, SortedIds

FREE = -1
"""The id of a row that has none."""

_PENDING = 1 << 20
"""Accesses that are kept one by one, before those of the same id are added up."""


@dataclass(frozen=True)
class GrowthCounts:
    """What happened to a table that grows since the counts were taken last.

    Attributes:
        fallback_lookups: Lookups of this rank that met the row of ids without one, int64, a scalar
            on the device.
        admitted: Ids that got a row, over all ranks.
        evicted: Ids that lost theirs, over all ranks.
        occupancy: Rows that belong to an id now, without the one of all others.
        size: Rows that can belong to an id.
    """

    fallback_lookups: Tensor
    admitted: int
    evicted: int
    occupancy: int
    size: int


class GrowingIds(nn.Module):
    """The rows of ids: those that were looked up often enough have one each.

    In training, lookups are counted; every `eviction_interval` iterations the counts of all ranks
    decide which ids are admitted and which are evicted, the same on each rank. Every rank has the
    whole mapping. Rows are given out in ascending order, and an evicted id leaves its row to the
    one that takes its place, so the rows of ids come before those that are free.

    Args:
        name: Name of the table.
        size: Rows of the table; the last one is for all ids without a row.
        growth: How ids get rows.
        seed: Seed of chances and of initial values, the same on every rank.
    """

    def __init__(self, name: str, size: int, growth: Growth, seed: int = 0) -> None:
        super().__init__()
        self.name = name
        self.growth = growth
        self.register_buffer("ids", torch.full((size,), FREE))
        self.register_buffer("counts", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("last", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("iteration", torch.zeros((), dtype=torch.int64))
        self._seed = seed ^ zlib.crc32(name.encode())
        self._index: IdIndex | None = None
        self._lowest = LowestScores()
        self._versions: tuple[int, int] = (-1, -1)
        self._iteration = self._occupancy = 0
        self._pending: list[IdCounts] = []
        self._waiting: IdCounts | None = None
        self._missed: Tensor | None = None
        self._admitted = self._evicted = 0

    @property
    def size(self) -> int:
        """Rows of the table."""
        return len(self.get_buffer("ids"))

    @property
    def occupancy(self) -> int:
        """Rows that belong to an id."""
        self._current()
        return self._occupancy

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the row of each id, int64 `[n]`; in training, counts the accesses.

        Args:
            ids: Ids that are not negative, int64 `[n]`.
        """
        rows = self._current().find(ids)
        if self.training and torch.is_grad_enabled():
            # A copy, as the memory of a batch is used again.
            self._pending.append(IdCounts.of_step(ids.clone(), self._iteration + 1))
            missed = (rows == self.size - 1).sum()
            self._missed = missed if self._missed is None else self._missed + missed
            if sum(map(len, self._pending)) > _PENDING:
                self._pending = [self.pending()]
        return rows

    def pending(self) -> IdCounts:
        """Returns the accesses of this rank since the last interval, each id once."""
        return add_up(self._pending, self.get_buffer("ids").device)

    def pending_parts(self) -> list[IdCounts]:
        """Returns the accesses of `pending` as they were kept, without waiting for the device."""
        return list(self._pending)

    def set_pending(self, parts: Iterable[IdCounts]) -> None:
        """Replaces the accesses of this rank since the last interval by those of all parts."""
        device = self.get_buffer("ids").device
        self._pending = [part.to(device) for part in parts]

    def waiting(self) -> IdCounts | None:
        """Returns the accesses of ids that wait for a row, of all ranks; None if there are none."""
        return self._waiting

    def set_waiting(self, accesses: IdCounts) -> None:
        """Replaces the accesses of ids that wait for a row, the same on every rank."""
        self._waiting = accesses.to(self.get_buffer("ids").device)

    def end_iteration(self) -> bool:
        """Ends an iteration; returns whether it is the last one of an interval."""
        self._current()
        self._iteration += 1
        self.get_buffer("iteration").fill_(self._iteration)
        self._remember()
        return self._iteration % self.growth.eviction_interval == 0

    def end_interval(self, accesses: IdCounts) -> Tensor:
        """Admits and evicts; waits for the device.

        Args:
            accesses: Accesses of all ranks in the interval, each id once, ascending.

        Returns:
            The rows of the ids that were admitted, whose values are still those of others, int64
            `[n]`.
        """
        self._pending = []
        index = self._current()
        rows = index.find(accesses.ids)
        known = rows < self.size - 1
        counts, last = self.get_buffer("counts"), self.get_buffer("last")
        counts.index_add_(0, rows[known], accesses.counts[known])
        last.index_copy_(0, rows[known], accesses.last[known])
        self._lowest.change(rows[known])
        new, rows, evicted = self._places(self._candidates(accesses, known))
        self._keep_waiting(new.ids)
        self.get_buffer("ids").index_copy_(0, rows, new.ids)
        counts.index_copy_(0, rows, new.counts)
        last.index_copy_(0, rows, new.last)
        index.add(new.ids, rows)
        self._lowest.change(rows)
        self._occupancy += len(new) - evicted
        self._admitted += len(new)
        self._evicted += evicted
        self._remember()
        return rows

    def generator(self) -> torch.Generator:
        """Returns the generator of initial values for this interval, the same on every rank."""
        return torch.Generator().manual_seed(self._seed ^ ~self._iteration & LARGEST)

    def take_counts(self) -> GrowthCounts:
        """Returns what happened since the last call; waits for no device."""
        missed = self._missed
        if missed is None:
            missed = torch.zeros((), dtype=torch.int64, device=self.get_buffer("ids").device)
        taken = GrowthCounts(missed, self._admitted, self._evicted, self._occupancy, self.size - 1)
        self._missed, self._admitted, self._evicted = None, 0, 0
        return taken

    def accesses(self) -> IdCounts:
        """Returns the accesses of the ids that have rows, in the order of the rows."""
        whole = IdCounts(*(self.get_buffer(name) for name in ("ids", "counts", "last")))
        return whole.where(slice(0, self.occupancy))

    def sorted_ids(self) -> SortedIds:
        """Returns the mapping as a module that does not change."""
        ids = self.accesses().ids
        return SortedIds(ids, torch.arange(len(ids), device=ids.device), self.size - 1)

    @torch.no_grad()
    def load_resized(self, saved: IdCounts, iteration: int) -> Tensor:
        """Takes over the mapping of a table with another number of rows.

        Ids keep their rows if there are enough of them; else those with the highest scores get
        rows, in the order of those that they had.

        Args:
            saved: Id of each row of the other table, its accesses and its last one, int64 `[M]`
                each, on the CPU.
            iteration: Iterations of the other table.

        Returns:
            The row of the other table for each row here, from the first on, int64 `[n + 1]` on the
            CPU: those of ids, and then the one of ids without a row.
        """
        has_id = (saved.ids >= 0).nonzero().squeeze(1)
        known = saved.where(has_id)
        if len(has_id) > self.size - 1:
            order = best(known.ids, scores(self.growth, known, iteration))
            has_id = has_id[order[: self.size - 1].sort().values]
            known = saved.where(has_id)
        for name, value in (("ids", FREE), ("counts", 0), ("last", 0)):
            buffer = self.get_buffer(name).fill_(value)
            buffer[: len(known)] = getattr(known, name).to(buffer.device)
        self.get_buffer("iteration").fill_(iteration)
        return torch.cat([has_id, has_id.new_tensor([len(saved) - 1])])

    def _candidates(self, accesses: IdCounts, known: Tensor) -> IdCounts:
        """Returns the ids without a row that may have one, by the accesses of an interval."""
        filter_, seed = self.growth.admission, self._seed ^ self._iteration
        if filter_ is None or filter_.kind != "frequency":
            # By the counts of all ids, those that have rows too.
            return accesses.where(admitted(filter_, accesses, seed) & ~known)
        parts = [accesses.where(~known), *([] if self._waiting is None else [self._waiting])]
        self._waiting = add_up(parts, known.device)
        return self._waiting.where(admitted(filter_, self._waiting, seed))

    def _keep_waiting(self, admitted_ids: Tensor) -> None:
        """Ends the waiting of ids that have rows now, and of those that are too many."""
        if self._waiting is None or self.growth.admission is None:
            return
        waiting = self._waiting.where(~torch.isin(self._waiting.ids, admitted_ids))
        if len(waiting) > self.growth.admission.capacity:
            # Those with the most accesses stay, then those that were met last.
            order = torch.argsort(waiting.last, descending=True, stable=True)
            order = order[torch.argsort(waiting.counts[order], descending=True, stable=True)]
            waiting = waiting.where(order[: self.growth.admission.capacity].sort().values)
        self._waiting = waiting

    def _places(self, new: IdCounts) -> tuple[IdCounts, Tensor, int]:
        """Returns which new ids get rows, these rows, and how many of them had another id."""
        free = min(len(new), self.size - 1 - self._occupancy)
        rows = torch.arange(
            self._occupancy, self._occupancy + free, device=self.get_buffer("ids").device
        )
        if len(new) == free:
            return new, rows, 0
        of_new = scores(self.growth, new, self._iteration)
        order = best(new.ids, of_new)
        if self.growth.policy == "first":
            return new.where(order[:free]), rows, 0
        rivals = order[free : free + self._occupancy]
        old = self.accesses()
        of_old = scores(self.growth, old, self._iteration)
        if self.growth.policy == "distance_lfu":
            # Scores fall in the course of time, and not all alike.
            weakest = worst(old.ids, of_old, len(rivals))
        else:
            weakest = self._lowest.worst(old.ids, of_old, len(rivals))
        # The first are the best of the new ids, and the worst of the old ones.
        beaten = int((of_new[rivals] > of_old[weakest]).sum())
        return new.where(order[: free + beaten]), torch.cat([rows, weakest[:beaten]]), beaten

    def _current(self) -> IdIndex:
        """Returns the index of the mapping, made again if a checkpoint was loaded."""
        ids = self.get_buffer("ids")
        if self._index is None or self._index.ids is not ids or self._versions != self._now():
            self._index = IdIndex(ids)
            self._lowest = LowestScores()
            self._iteration = int(self.get_buffer("iteration"))
            self._occupancy = int((ids >= 0).sum())
            self._remember()
        return self._index

    def _remember(self) -> None:
        self._versions = self._now()

    def _now(self) -> tuple[int, int]:
        return self.get_buffer("ids")._version, self.get_buffer("iteration")._version
