"""Which rows are given to which new ids, and from whom they are taken.

Scores are those of TorchRec's eviction policies; with `d` the iterations since the last access,
plus 1, and `e` the decay exponent:

- lfu: number of accesses;
- lru: `1 / d^e`, whose order is that of the last accesses;
- distance_lfu: number of accesses `/ d^e`.

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
    if growth.policy == "lfu":
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
        return ids[:0]
    limit = torch.topk(of_ids, count, largest=False, sorted=False).values.max()
    low = (of_ids <= limit).nonzero().squeeze(1)
    return low[best(ids[low], of_ids[low]).flip(0)[:count]]
