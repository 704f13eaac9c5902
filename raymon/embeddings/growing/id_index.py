"""Finds the rows of ids."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SMALL = 4096
"""Ids that may be among the recent ones, whatever the size of the table."""

_SHARE = 32
"""Recent ids are merged into the others once they are one in so many."""

_STALE = 1.25
"""Ids in the long list for each row, from which on those that left are removed."""

LARGEST = 2**63 - 1


class SortedIds(nn.Module):
    """Ids in order, and the row of each.

    Args:
        ids: Ids, each once, int64 `[n]`.
        rows: Row of each, int64 `[n]`.
        fallback: Row of other ids.
    """

    def __init__(self, ids: Tensor, rows: Tensor, fallback: int) -> None:
        super().__init__()
        ids, order = torch.sort(ids)
        # With an end that no id is above, so that every id has a place.
        self.register_buffer("ids", torch.cat([ids, ids.new_full((1,), LARGEST)]))
        self.register_buffer("rows", torch.cat([rows[order], rows.new_full((1,), fallback)]))
        self._fallback = fallback

    def __len__(self) -> int:
        return len(self.get_buffer("ids")) - 1

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the row of each id, int64 `[n]`."""
        place = torch.searchsorted(self.get_buffer("ids"), ids)
        is_there = self.get_buffer("ids").index_select(0, place) == ids
        rows = self.get_buffer("rows").index_select(0, place)
        return torch.where(is_there, rows, self._fallback)

    def candidates(self, ids: Tensor) -> Tensor:
        """Returns the row of each id, and any row for one that is not there: int64 `[n]`."""
        place = torch.searchsorted(self.get_buffer("ids"), ids)
        return self.get_buffer("rows").index_select(0, place)

    def lists(self) -> tuple[Tensor, Tensor]:
        """Returns the ids and their rows, with the end."""
        return self.get_buffer("ids"), self.get_buffer("rows")

    def keep(self, which: Tensor) -> None:
        """Removes all ids but those of a mask `[n + 1]`; the end stays."""
        which[-1] = True
        self.ids, self.rows = (part[which] for part in self.lists())

    def merge(self, ids: Tensor, rows: Tensor) -> None:
        """Sets the rows of ids, new ones or not, without sorting those that are there.

        Args:
            ids: Ids in ascending order, each once, int64 `[n]`.
            rows: Row of each, int64 `[n]`.
        """
        own, of_own = self.lists()
        place = torch.searchsorted(own, ids)
        known = own.index_select(0, place) == ids
        of_own.index_copy_(0, place[known], rows[known])
        new = ~known
        at = place[new]
        at += torch.arange(len(at), device=at.device)
        is_own = torch.ones(len(own) + len(at), dtype=torch.bool, device=at.device)
        is_own.index_fill_(0, at, False)
        for name, before, more in (("ids", own, ids[new]), ("rows", of_own, rows[new])):
            merged = before.new_empty(len(is_own)).masked_scatter_(is_own, before)
            setattr(self, name, merged.index_copy_(0, at, more))


class IdIndex:
    """The rows of ids that come and go.

    Most ids are in one sorted list, and those that came last in a short one, so that a few new ids
    do not cost as much as all. Who left stays in its list for a while; what counts is which id a
    row has now.

    Args:
        ids: Id of each row, int64 `[N]`; negative if the row has none, as the last one never has.
            It is changed by others before `add` says so.
    """

    def __init__(self, ids: Tensor) -> None:
        self.ids = ids
        self._fallback = len(ids) - 1
        rows = (ids >= 0).nonzero().squeeze(1)
        self._settled = SortedIds(ids[rows], rows, self._fallback)
        self._recent = SortedIds(rows[:0], rows[:0], self._fallback)
        self._has_recent = False

    def find(self, ids: Tensor) -> Tensor:
        """Returns the row of each id, int64 `[n]`; the last one for ids that have none.

        Args:
            ids: Ids that are not negative, int64 `[n]`.
        """
        rows = self._found(self._settled, ids, self._fallback)
        return self._found(self._recent, ids, rows) if self._has_recent else rows

    def add(self, ids: Tensor, rows: Tensor) -> None:
        """Adds ids `[n]` that rows have now."""
        ids, order = torch.sort(ids)
        self._recent.merge(ids, rows[order])
        self._has_recent = True
        if len(self._recent) > max(_SMALL, len(self._settled) // _SHARE):
            if len(self._settled) > _STALE * len(self.ids):
                self._settled.keep(self._are_current(self._settled))
            current = self._are_current(self._recent)
            self._settled.merge(*(part[current] for part in self._recent.lists()))
            self._recent = SortedIds(rows[:0], rows[:0], self._fallback)
            self._has_recent = False

    def _found(self, among: SortedIds, ids: Tensor, otherwise: Tensor | int) -> Tensor:
        rows = among.candidates(ids)
        return torch.where(self.ids.index_select(0, rows) == ids, rows, otherwise)

    def _are_current(self, among: SortedIds) -> Tensor:
        ids, rows = among.lists()
        return self.ids.index_select(0, rows) == ids
