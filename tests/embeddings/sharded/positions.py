"""One of several ranks that look up rows and positions of sequences in one sharded table."""

from __future__ import annotations

import os
from pathlib import Path

import torch
import torch.distributed as dist
from google.protobuf import text_format

from raymon.data import Batch, EmbeddingSpec, IdList, Positions
from raymon.embeddings import EmbeddingCollection, Workers, sharded_engine, sharded_tables
from raymon.protos.optimizer_pb2 import SparseOptimizer

ROWS, DIM, STEPS = 40, 4, 3


def specs(sharding: str = "row_wise") -> dict[str, EmbeddingSpec]:
    """Returns a table of a feature of rows and of two of positions."""
    shared = {"sharding_types": (sharding,)}
    return {
        "row": EmbeddingSpec("t", ROWS, DIM, **shared),
        "alone": EmbeddingSpec("other", ROWS, DIM, **shared),
        "one": EmbeddingSpec("t", ROWS, DIM, of_positions=True, **shared),
        "several": EmbeddingSpec("t", ROWS, DIM, "mean", of_positions=True, **shared),
    }


def batch_of(step: int, rank: int) -> Batch:
    """Returns the rows of a rank: other numbers of rows and of positions on each."""
    generator = torch.Generator().manual_seed(10 * step + rank)
    rows, positions = 3 + rank, 5 + 4 * rank if step else 0

    def ids(count: int) -> torch.Tensor:
        return torch.randint(0, ROWS, (count,), generator=generator)

    starts = torch.zeros(rows, dtype=torch.int64)
    bags = torch.arange(positions) * 2
    return Batch(
        size=rows,
        sparse={"row": IdList(ids(rows)), "alone": IdList(ids(rows))},
        sequences={
            "one": Positions(starts, positions, IdList(ids(positions))),
            "several": Positions(starts, positions, IdList(ids(2 * positions), bags)),
        },
    )


def loss_of(collection: EmbeddingCollection, batch: Batch) -> torch.Tensor:
    """Returns the sum of the squares of all embeddings."""
    found = collection(batch)
    assert [len(found[name]) for name in ("row", "one")] == [
        batch.size,
        batch.sequences["one"].count,
    ]
    return torch.stack([each.square().sum() for each in found.values()]).sum()


def main(rank: int, world_size: int, store: str, sharding: str, out: Path) -> None:
    """Trains by SGD; writes the parts of the tables."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{store}", rank=rank, world_size=world_size)
    torch.manual_seed(0)
    with sharded_tables():
        collection = EmbeddingCollection(specs(sharding))
    block = text_format.Parse("sgd_optimizer { lr: 0.1 }", SparseOptimizer())
    workers = Workers(world_size, world_size, torch.device("cpu"), 1 << 32, 16, _broadcast)
    engine = sharded_engine({"embeddings": collection}, block, workers, None)
    for step in range(STEPS):
        engine.begin(torch.tensor(float(world_size)))
        loss_of(collection, batch_of(step, rank)).mul(world_size).backward()
        engine.step(0.1)
        engine.clear()
    torch.save(engine.tables, out)
    dist.barrier()
    # Without an end of gloo's threads, at which a process aborted once in six runs.
    os._exit(0)


def _broadcast(value: object) -> object:
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]
