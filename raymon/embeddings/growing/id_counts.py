"""How often ids were looked up: sums over steps and ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class IdCounts:
    """The accesses of ids.

    Attributes:
        ids: Ids, int64 `[n]`.
        counts: Number of accesses of each, int64 `[n]`.
        last: Iteration of the last one, int64 `[n]`.
    """

    ids: Tensor
    counts: Tensor
    last: Tensor

    @classmethod
    def of_step(cls, ids: Tensor, iteration: int) -> IdCounts:
        """Returns the accesses of one iteration; ids `[n]` may repeat."""
        return cls(ids, torch.ones_like(ids), torch.full_like(ids, iteration))

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device) -> IdCounts:
        """Returns the same on a device."""
        return IdCounts(self.ids.to(device), self.counts.to(device), self.last.to(device))

    def where(self, chosen: Tensor | slice) -> IdCounts:
        """Returns those of a mask, of indices or of a slice."""
        return IdCounts(self.ids[chosen], self.counts[chosen], self.last[chosen])


def add_up(parts: Sequence[IdCounts], device: torch.device) -> IdCounts:
    """Returns the sum of accesses: each id once, ascending.

    It does not depend on the order of the parts, nor on how accesses are spread over them.
    """
    if not parts:
        none = torch.empty(0, dtype=torch.int64, device=device)
        return IdCounts(none, none, none)
    ids, place = torch.unique(torch.cat([part.ids for part in parts]), return_inverse=True)
    counts, last = (torch.zeros_like(ids) for _ in range(2))
    counts.index_add_(0, place, torch.cat([part.counts for part in parts]))
    last.scatter_reduce_(0, place, torch.cat([part.last for part in parts]), "amax")
    return IdCounts(ids, counts, last)


def exchange(tables: Sequence[IdCounts], world_size: int) -> list[IdCounts]:
    """Returns the accesses of each table over all ranks; every rank calls it, and waits.

    Args:
        tables: Accesses of this rank in each of the tables, the same tables on every rank.
        world_size: Number of ranks.
    """
    if world_size == 1 or not tables:
        return list(tables)
    device = tables[0].ids.device
    lengths = torch.tensor([len(table) for table in tables], device=device)
    of_ranks = [torch.empty_like(lengths) for _ in range(world_size)]
    dist.all_gather(of_ranks, lengths)
    sizes = torch.stack(of_ranks).tolist()
    own = torch.stack([torch.cat([getattr(t, f) for t in tables]) for f in _FIELDS])
    # Every rank sends as much as the one that has the most.
    padded = own.new_zeros(len(_FIELDS), max(sum(each) for each in sizes))
    padded[:, : own.shape[1]] = own
    found = [torch.empty_like(padded) for _ in range(world_size)]
    dist.all_gather(found, padded)
    parts = [list(zip(*(p.split(s) for p in part[:, : sum(s)]), strict=True))
             for part, s in zip(found, sizes, strict=True)]  # fmt: skip
    return [
        add_up([IdCounts(*of_rank[number]) for of_rank in parts], device)
        for number in range(len(tables))
    ]


_FIELDS = ("ids", "counts", "last")
