"""Finds the rows of ids."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SMALL = 4096
"""Ids that may be among the recent ones, whatever the size of the table."""

_SHARE = 8
"""Recent ids are sorted in among the others once they are one in so many."""

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

    def candidates(self, ids: Tensor) -> Tensor:
        """Returns the row of each id, and any row for one that is not there: int64 `[n]`."""
        place = torch.searchsorted(self.get_buffer("ids"), ids)
        return self.get_buffer("rows").index_select(0, place)

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the row of each id, int64 `[n]`."""
        place = torch.searchsorted(self.get_buffer("ids"), ids)
        is_there = self.get_buffer("ids").index_select(0, place) == ids
        rows = self.get_buffer("rows").index_select(0, place)
        return torch.where(is_there, rows, self._fallback)


class IdIndex:
    """The rows of ids that come and go.

    Most ids are in one sorted list, and those that came last in a short one, so that a few new ids
    do not cost as much as all. Who left stays in its list until that is made again; what counts is
    which id a row has now.

    Args:
        ids: Id of each row, int64 `[N]`; negative if the row has none, as the last one never has.
            It is changed by others before `add` says so.
    """

    def __init__(self, ids: Tensor) -> None:
        self.ids = ids
        self._fallback = len(ids) - 1
        self._settled, self._recent = self._all_sorted()

    def find(self, ids: Tensor) -> Tensor:
        """Returns the row of each id, int64 `[n]`; the last one for ids that have none.

        Args:
            ids: Ids that are not negative, int64 `[n]`.
        """
        rows = self._found(self._settled, ids, self._fallback)
        return self._found(self._recent, ids, rows) if len(self._recent) else rows

    def add(self, ids: Tensor, rows: Tensor) -> None:
        """Adds ids `[n]` that rows have now."""
        recent, of_recent = (
            self._recent.get_buffer("ids")[:-1],
            self._recent.get_buffer("rows")[:-1],
        )
        still = self.ids[of_recent] == recent
        self._recent = SortedIds(
            torch.cat([recent[still], ids]), torch.cat([of_recent[still], rows]), self._fallback
        )
        if len(self._recent) > max(_SMALL, len(self._settled) // _SHARE):
            self._settled, self._recent = self._all_sorted()

    def _found(self, among: SortedIds, ids: Tensor, otherwise: Tensor | int) -> Tensor:
        rows = among.candidates(ids)
        return torch.where(self.ids.index_select(0, rows) == ids, rows, otherwise)

    def _all_sorted(self) -> tuple[SortedIds, SortedIds]:
        rows = (self.ids >= 0).nonzero().squeeze(1)
        none = rows[:0]
        return SortedIds(self.ids[rows], rows, self._fallback), SortedIds(
            none, none, self._fallback
        )
