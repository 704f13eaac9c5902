"""Which rows are given to which new ids, and from whom they are taken.

Scores are those of TorchRec's eviction policies; with `d` the iterations since the last access,
plus 1, and `e` the decay exponent:

- lfu: number of accesses;
- lru: `1 / d^e`, whose order is that of the last accesses;
- distance_lfu: number of accesses `/ d^e`;
- first: number of accesses, by which new ids get rows that are free; nobody loses one.

Rows go to the ids with the highest scores, to one that has a row already before a new one, and to
the smaller one of two new ids or of two with rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.data import Growth
from raymon.embeddings.growing.id_counts import IdCounts


def scores(growth: Growth, accesses: IdCounts, iteration: int) -> Tensor:
    """Returns the scores of ids, or numbers in the same order, `[n]`."""
    if growth.policy in ("lfu", "first"):
        return accesses.counts
    if growth.policy == "lru":
        return accesses.last
    since = (iteration + 1 - accesses.last).double()
    return accesses.counts.double() / since**growth.decay_exponent


def best(ids: Tensor, of_ids: Tensor) -> Tensor:
    """Returns the order of ids by their scores, the highest first, int64 `[n]`.

    Args:
        ids: Ids, int64 `[n]`.
        of_ids: Their scores, `[n]`.
    """
    by_id = torch.argsort(ids)
    return by_id[torch.argsort(of_ids[by_id], descending=True, stable=True)]


def worst(ids: Tensor, of_ids: Tensor, count: int) -> Tensor:
    """Returns the indices of so many ids with the lowest scores, the lowest first.

    All scores are read, but few are sorted.
    """
    if count == 0:
        return torch.empty(0, dtype=torch.int64, device=ids.device)
    limit = torch.topk(of_ids, count, largest=False, sorted=False).values.max()
    low = (of_ids <= limit).nonzero().squeeze(1)
    return low[best(ids[low], of_ids[low]).flip(0)[:count]]


class LowestScores:
    """Finds the ids with the lowest scores, looking through all of them only now and then.

    It is for scores that never fall while an id has its row. What was lowest once is kept in order;
    whoever is not in there, and has not changed since, has a higher score.
    """

    def __init__(self) -> None:
        self._queue: Tensor | None = None
        self._ids = self._scores = torch.empty(0)
        self._first = 0
        self._changed: list[Tensor] = []

    def change(self, rows: Tensor) -> None:
        """Says that rows `[n]` have another score or another id than before."""
        if self._queue is not None:
            self._changed.append(rows)

    def worst(self, ids: Tensor, of_ids: Tensor, count: int) -> Tensor:
        """Returns what the function of this name does, for all rows that have an id.

        Args:
            ids: Id of each row, int64 `[N]`.
            of_ids: Their scores, `[N]`.
            count: Number of rows.
        """
        if count == 0:
            return torch.empty(0, dtype=torch.int64, device=ids.device)
        found = self._candidates(ids, of_ids, count)
        if found is None:
            self._look_through(ids, of_ids, count)
            found = self._queue
        assert found is not None
        return found[best(ids[found], of_ids[found]).flip(0)[:count]]

    def _candidates(self, ids: Tensor, of_ids: Tensor, count: int) -> Tensor | None:
        """Returns rows that have the lowest scores among them; None if they are not known."""
        if self._queue is None:
            return None
        changed = torch.unique(torch.cat([*self._changed, self._queue[:0]]))
        score, last = self._scores[-1], self._ids[-1]
        of_changed = of_ids[changed]
        low = (of_changed < score) | ((of_changed == score) & (ids[changed] >= last))
        self._changed = [changed[low]]
        if int(low.sum()) > max(_QUEUE, len(self._queue)):
            return None
        end, size = self._first, count
        valid = self._queue[:0]
        while len(valid) < count and end < len(self._queue):
            part = slice(end, end + size)
            rows = self._queue[part]
            same = (ids[rows] == self._ids[part]) & (of_ids[rows] == self._scores[part])
            if not len(valid):
                # Those that have changed come no more.
                self._first = end + int(same.int().argmax()) if same.any() else end + len(rows)
            valid = torch.cat([valid, rows[same]])
            end, size = end + len(rows), 2 * size
        found = torch.unique(torch.cat([valid, *self._changed]))
        return found if len(found) >= count else None

    def _look_through(self, ids: Tensor, of_ids: Tensor, count: int) -> None:
        size = min(len(ids), max(2 * count, _QUEUE, len(ids) // _SHARE))
        self._queue = worst(ids, of_ids, size)
        self._ids, self._scores = ids[self._queue], of_ids[self._queue]
        self._first = 0
        self._changed = []


_QUEUE = 4096
"""Rows that are kept in order, whatever the size of the table."""

_SHARE = 16
"""Rows of the table for each that is kept in order."""
