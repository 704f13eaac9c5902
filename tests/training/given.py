"""Datasets of the ranks of a test: contiguous rows of a Parquet file for each rank."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch.distributed as dist

PIECE = 5


class OfRank:
    """The rows of the rank that iterates, in pieces, with its position."""

    def __init__(self, path: Path, counts: list[int]) -> None:
        self.path = path
        self.counts = counts
        self.place = 0

    def part(self, rank: int) -> pa.Table:
        begin = sum(self.counts[:rank])
        return pq.read_table(self.path).slice(begin, self.counts[rank])

    def __iter__(self) -> Iterator[pa.Table]:
        part = self.part(dist.get_rank())
        while self.place < len(part):
            self.place += PIECE
            yield part.slice(self.place - PIECE, PIECE)
        self.place = 0

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


def datasets(kind: str, path: Path, counts: list[int]) -> dict[str, Any]:
    """Datasets to train on, and with "unequal" to evaluate on; the last rank has none of those."""
    rows = OfRank(path, counts)

    def pieces(rank: int) -> Iterator[pa.Table]:
        part = rows.part(rank)
        for begin in range(0, len(part), PIECE):
            yield part.slice(begin, PIECE)

    def evaluation(rank: int, world_size: int) -> Iterator[pa.Table]:
        table = pq.read_table(path.with_name("eval.parquet"))
        if rank < world_size - 1:
            yield table.take(list(range(rank, len(table), world_size - 1)))

    def same(rank: int) -> Iterator[pa.Table]:
        return pieces(0)

    def failing(rank: int) -> Iterator[pa.Table]:
        yield from pieces(rank)
        if rank == 1:
            raise ValueError("the stream of rank 1 is torn")

    def slow(rank: int) -> Iterator[pa.Table]:
        for piece in pieces(rank):
            time.sleep(0.02 * rank)
            yield piece

    kinds: dict[str, Any] = {
        "stateful": rows, "function": pieces, "unequal": pieces, "same": same, "failing": failing,
        "slow": slow,
    }  # fmt: skip
    given = {"train": kinds[kind]}
    return {**given, "eval": evaluation} if kind == "unequal" else given
