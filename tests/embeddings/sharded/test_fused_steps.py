"""Which step of Adam the kernels of sharded tables make, whatever they look up besides."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from raymon.data import EmbeddingSpec, IdList
from raymon.embeddings import TableShards
from raymon.embeddings.sharded.bags import Bags
from raymon.embeddings.sharded.fused_steps import set_steps
from raymon.embeddings.sharded.lookup import ShardedLookup

IDS = {"f": IdList(torch.tensor([1, 2]))}


class Adam:
    """Tables that count steps as fbgemm's kernels of Adam do, which there are on CUDA alone."""

    def __init__(self) -> None:
        self.rows = torch.zeros(5, 2, requires_grad=True)
        self.iter_cpu, self.iter = (torch.zeros(1, dtype=torch.int64) for _ in range(2))
        self.updates: list[int] = []

    def pooled(self, bags: Bags, steps: int) -> Tensor:
        """Returns rows, whose backward is the update of the step that is counted here."""
        set_steps([self], steps)
        if self.iter_cpu.item() == 0:
            self.iter_cpu.fill_(self.iter.item())
        step = int(self.iter_cpu.add_(1).item())
        self.iter.add_(1)
        found = self.rows[bags.values[0]]
        if found.requires_grad:
            found.register_hook(lambda gradient: self.updates.append(step))
        return found

    def set_rate(self, rate: float) -> None:
        """Takes a rate."""

    def weights(self, index: int) -> TableShards:
        """Returns nothing."""
        raise NotImplementedError

    def states(self, index: int) -> Mapping[str, TableShards]:
        """Returns nothing."""
        return {}


def test_a_step_is_counted_once_whatever_is_looked_up() -> None:
    tables = Adam()
    lookup = ShardedLookup(tables, {"f": EmbeddingSpec("t", 5, 2)}, False, True)

    def evaluate() -> None:
        with torch.no_grad():
            lookup.look_up(IDS)

    def step(parts: int) -> None:
        for _ in range(parts):
            lookup.look_up(IDS)["f"].sum().backward()
        lookup.update(0.1, torch.ones(()), None)
        lookup.clear()
        lookup.steps += 1

    evaluate()
    for parts in (2, 1, 3):
        step(parts)
        evaluate()
    assert tables.updates == [1, 2, 3]
    # As a run that was restored, whose kernels are new.
    restored = Adam()
    lookup = ShardedLookup(restored, {"f": EmbeddingSpec("t", 5, 2)}, False, True)
    lookup.steps = 7
    step(1)
    assert restored.updates == [8]
