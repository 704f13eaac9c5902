"""One of several ranks that train the rows of a table, as a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import EmbeddingCollection
from tests.training.optim.test_row_optimizers import KINDS, LARGE, SMALL, trained, weight

STEPS, ROWS, DIM, USED = 50, 12, 3, 10
CASES = [
    *((text, LARGE, "mean", "FP32") for text in KINDS),
    *((text, SMALL, "weighted", "FP32") for text in KINDS),
    (next(iter(KINDS)), LARGE, "sum", "FP32"),
    *((text, LARGE, "mean", "FP16") for text in KINDS),
    *((text, SMALL, "weighted", "BF16") for text in KINDS),
]
"""Optimizers, sizes of the table, how the ids of a row are pooled, and types of the table."""


@dataclass
class Part:
    """The rows of a global batch that a rank has: two features that share a table.

    Attributes:
        lists: Ids of the first feature, one list a row.
        weights: Weights of these ids, one list a row.
        ids: Id of the second feature of each row.
        gradients: Gradients of the embeddings of both features, `[rows, 2, DIM]`.
    """

    lists: list[list[int]]
    weights: list[list[float]]
    ids: list[int]
    gradients: Tensor

    def rows(self, chosen: slice) -> Part:
        """Returns some of the rows."""
        return Part(
            self.lists[chosen], self.weights[chosen], self.ids[chosen], self.gradients[chosen]
        )


def global_batches() -> Iterator[Part]:
    """Yields the global batch of each step; ids repeat within it, and few rows are used."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        lengths = torch.randint(0, 4, (ROWS,), generator=generator).tolist()
        lists = [torch.randint(0, USED, (n,), generator=generator).tolist() for n in lengths]
        weights = [torch.rand(n, generator=generator).tolist() for n in lengths]
        ids = torch.randint(0, USED, (ROWS,), generator=generator).tolist()
        yield Part(lists, weights, ids, torch.randn(ROWS, 2, DIM, generator=generator))


def part_of(step: int, rank: int, world_size: int) -> slice:
    """Returns the rows of a rank: unequal numbers, and none for one of them in each step."""
    if world_size == 1:
        return slice(0, ROWS)
    ends = [0, 5, ROWS]
    place = (rank + step) % world_size
    return slice(ends[place], ends[place + 1]) if place < len(ends) - 1 else slice(0, 0)


def train(text: str, size: int, pooling: str, data_type: Any, rank: int, world_size: int) -> Tensor:
    """Trains as one rank; returns the rows that are used."""
    how = "sum" if pooling == "weighted" else pooling
    a, b = (EmbeddingSpec("t", size, DIM, each, data_type=data_type) for each in (how, "sum"))
    specs = {"a": a, "b": b}
    embeddings, gradients, optimizer = trained(text, size, specs=specs)
    for step, whole in enumerate(global_batches()):
        part = whole.rows(part_of(step, rank, world_size))
        _backward(embeddings, part, pooling == "weighted", world_size)
        gradients.exchange(world_size)
        optimizer.step()
        gradients.clear()
    return weight(embeddings)[:USED].clone()


def _backward(embeddings: EmbeddingCollection, part: Part, weighted: bool, world_size: int) -> None:
    lengths = torch.tensor([len(ids) for ids in part.lists], dtype=torch.int64)
    values = torch.tensor([i for ids in part.lists for i in ids], dtype=torch.int64)
    weights = torch.tensor([w for each in part.weights for w in each]) if weighted else None
    a = IdList(values, lengths.cumsum(0) - lengths, weights)
    b = IdList(torch.tensor(part.ids, dtype=torch.int64))
    found = embeddings(Batch(size=len(part.ids), sparse={"a": a, "b": b}))
    both = torch.stack([found["a"], found["b"]], dim=1)
    # Ranks average their gradients.
    (both * part.gradients).sum().mul(world_size).backward()


def main(rank: int, world_size: int, store: str, out: Path) -> None:
    """Trains all cases."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{store}", rank=rank, world_size=world_size)
    found = {case: train(*case, rank, world_size) for case in CASES}
    torch.save(found, out)
    dist.barrier()
    # Without an end of gloo's threads, at which a process aborted once in six runs.
    os._exit(0)
