"""One of several ranks that train sharded tables, as a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.distributed as dist
from google.protobuf import text_format
from torch import Tensor

from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import (
    EmbeddingCollection,
    ShardedEngine,
    TableShards,
    Workers,
    sharded_engine,
    sharded_tables,
)
from raymon.errors import ConfigError
from raymon.protos.optimizer_pb2 import SparseOptimizer
from tests.training.optim.rows_of_rank import Part, global_batches, part_of

ROWS, DIM, USED = 70_000, 4, 10
"""Rows of a table, more than one block of initial values; their length; and the number of ids that
batches have, of both ends of a table, so that they are on different ranks if it is sharded by rows.
"""

OPTIMIZERS = (
    "sgd_optimizer { lr: 0.1 }",
    "adagrad_optimizer { lr: 0.1 initial_accumulator_value: 0.2 }",
    "rowwise_adagrad_optimizer { lr: 0.1 }",
    "sgd_optimizer { lr: 0.1 gradient_clipping: true max_gradient: 0.3 }",
)
POOLINGS = ("sum", "mean", "weighted")
SHARDINGS = ("row_wise", "table_wise")
GROUPS = (1, 2)
Case = tuple[str, str, str, int]
"""Optimizer, pooling of the first feature, sharding, and batches for each step."""

CASES: list[Case] = [
    *((text, pooling, "row_wise", 1) for text in OPTIMIZERS for pooling in POOLINGS),
    *((text, "mean", "table_wise", 1) for text in OPTIMIZERS),
    *((text, "sum", "row_wise", 2) for text in OPTIMIZERS),
]


def spread(ids: Tensor) -> Tensor:
    """Returns ids of both ends of a table in place of small ones."""
    return torch.where(ids % 2 == 0, ids, ROWS - 1 - ids)


def used() -> list[int]:
    """Returns the ids that batches have."""
    ids: list[int] = spread(torch.arange(USED)).tolist()
    return ids


WIDE = "wide"
WIDE_ROWS, WIDE_DIM, HALF_DIM, WIDE_STEPS = 500, 256, 16, 20

REFUSED = (
    (OPTIMIZERS[0], "grid_shard", "fused"),
    (OPTIMIZERS[0], "row_wise", "key_value"),
    (OPTIMIZERS[2], "column_wise", "fused"),
)
"""Optimizers, shardings and kernels that no plan on the CPU has."""


def refusal(text: str, sharding: str, kernel: str) -> str:
    """Returns the error of tables that cannot be placed."""
    try:
        build(text, "sum", sharding, kernel)
    except ConfigError as error:
        return str(error)
    return ""


def build(
    text: str, pooling: str, sharding: str, kernel: str = "fused", dim: int = DIM
) -> tuple[EmbeddingCollection, ShardedEngine]:
    """Returns a collection of two features that share a table, and of a frozen table."""
    weighted = pooling == "weighted"
    how = "sum" if weighted else pooling
    block = text_format.Parse(text, SparseOptimizer())
    shared = {"sharding_types": (sharding,), "compute_kernels": (kernel,)}
    torch.manual_seed(0)
    with sharded_tables():
        collection = EmbeddingCollection(
            {
                "a": EmbeddingSpec("t", ROWS, dim, how, weighted=weighted, **shared),
                # Between features of one table.
                "between": EmbeddingSpec("between", ROWS, dim, "sum", **shared),
                "b": EmbeddingSpec("t", ROWS, dim, "sum", **shared),
                "frozen": EmbeddingSpec("still", ROWS, dim, "sum", trainable=False, **shared),
            }
        )
    optimizer = getattr(block, str(block.WhichOneof("optimizer")))
    limit = optimizer.max_gradient if optimizer.gradient_clipping else None
    world_size = dist.get_world_size()
    workers = Workers(world_size, world_size, torch.device("cpu"), 1 << 32, 16, _broadcast)
    return collection, sharded_engine({"embeddings": collection}, block, workers, limit)


def _wider(batch: Part) -> Part:
    gradients = torch.cat([batch.gradients, batch.gradients[..., :1]], -1)
    return Part(batch.lists, batch.weights, batch.ids, gradients)


def _broadcast(value: object) -> object:
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def groups(count: int) -> Iterator[list[Part]]:
    """Yields the global batches of each step of the optimizer."""
    batches = [_wider(batch) for batch in global_batches()]
    yield from (batches[i : i + count] for i in range(0, len(batches), count))


def train(case: Case, rank: int, world_size: int) -> dict[str, TableShards]:
    """Trains as one rank; returns its part of the tables."""
    text, pooling, sharding, count = case
    collection, engine = build(text, pooling, sharding)
    number = 0
    for group in groups(count):
        for whole in group:
            part = whole.rows(part_of(number, rank, world_size))
            number += 1
            _backward(collection, engine, part, pooling == "weighted", world_size)
        engine.step(0.1)
        engine.clear()
    return engine.tables


def _backward(
    collection: EmbeddingCollection,
    engine: ShardedEngine,
    part: Part,
    weighted: bool,
    world_size: int,
) -> None:
    lengths = torch.tensor([len(ids) for ids in part.lists], dtype=torch.int64)
    values = spread(torch.tensor([i for ids in part.lists for i in ids], dtype=torch.int64))
    weights = torch.tensor([w for each in part.weights for w in each]) if weighted else None
    a = IdList(values, lengths.cumsum(0) - lengths, weights)
    b = IdList(spread(torch.tensor(part.ids, dtype=torch.int64)))
    batch = Batch(size=len(part.ids), sparse={"a": a, "between": b, "b": b, "frozen": b})
    found = collection(batch)
    both = torch.stack([found["a"], found["b"]], dim=1)
    engine.begin(torch.tensor(float(world_size)))
    # Ranks average their gradients.
    (both * part.gradients).sum().mul(world_size).backward()


def wide_batches() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yields ids `[8]`, and the gradients of their embeddings in a wide and in an FP16 table."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(WIDE_STEPS):
        ids = torch.randint(0, WIDE_ROWS, (8,), generator=generator)
        wide = torch.randn(8, WIDE_DIM, generator=generator)
        yield ids, wide, torch.randn(8, HALF_DIM, generator=generator)


def wide_specs() -> dict[str, EmbeddingSpec]:
    """Returns a table that is split by columns, and one of FP16 that is split by rows."""
    return {
        "wide": EmbeddingSpec("wide", WIDE_ROWS, WIDE_DIM, sharding_types=("column_wise",)),
        "half": EmbeddingSpec(
            "half", WIDE_ROWS, HALF_DIM, data_type="FP16", sharding_types=("row_wise",)
        ),
    }


def train_wide(rank: int, world_size: int) -> dict[str, TableShards]:
    """Trains both tables by Adagrad; every rank has as many rows of a batch."""
    torch.manual_seed(0)
    with sharded_tables():
        collection = EmbeddingCollection(wide_specs())
    block = text_format.Parse("adagrad_optimizer { lr: 0.1 }", SparseOptimizer())
    workers = Workers(world_size, world_size, torch.device("cpu"), 1 << 32, 16, _broadcast)
    engine = sharded_engine({"embeddings": collection}, block, workers, None)
    for ids, wide, half in wide_batches():
        own = slice(rank * 8 // world_size, (rank + 1) * 8 // world_size)
        batch = Batch(8, sparse=dict.fromkeys(("wide", "half"), IdList(ids[own])))
        found = collection(batch)
        engine.begin(torch.tensor(float(world_size)))
        loss = (found["wide"] * wide[own]).sum() + (found["half"] * half[own]).sum()
        loss.mul(world_size).backward()
        engine.step(0.1)
        engine.clear()
    return engine.tables


def main(rank: int, world_size: int, store: str, out: Path) -> None:
    """Trains all cases."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{store}", rank=rank, world_size=world_size)
    found: dict[object, object] = {case: train(case, rank, world_size) for case in CASES}
    found[WIDE] = train_wide(rank, world_size)
    if world_size > 1:
        found |= {case: refusal(*case) for case in REFUSED}
    torch.save(found, out)
    dist.barrier()
    # Without an end of gloo's threads, at which a process aborted once in six runs.
    os._exit(0)
