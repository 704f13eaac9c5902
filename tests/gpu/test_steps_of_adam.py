"""On a GPU a large table that Adam trains takes the steps of the CPU, whatever it is looked up for.

Where TorchRec is installed it is a sharded one, whose kernels count by themselves.
"""

from __future__ import annotations

import pytest
import torch
from google.protobuf import text_format

from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import (
    EmbeddingCollection,
    EmbeddingTable,
    ShardedEngine,
    ShardedTable,
    Workers,
    sharded_engine,
    sharded_tables,
    why_unavailable,
)
from raymon.protos.optimizer_pb2 import SparseOptimizer
from raymon.training.optim.row_optimizers import build_row_optimizer
from raymon.training.optim.table_gradients import TableGradients

pytestmark = pytest.mark.gpu

CPU = torch.device("cpu")
ROWS, DIM, SIZE, STEPS, PARTS = 40_000, 8, 64, 5, 2


@pytest.mark.parametrize("kind", ["adam_optimizer", "partial_rowwise_adam_optimizer"])
def test_steps_are_those_of_the_cpu(kind: str, device: torch.device) -> None:
    block = text_format.Parse(f"{kind} {{ lr: 0.1 weight_decay: 0.01 }}", SparseOptimizer())
    expected, found = trained(block, CPU), trained(block, device)
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-5)


def trained(block: SparseOptimizer, device: torch.device) -> torch.Tensor:
    """Returns the rows of a table after some steps of several parts, with evaluations between."""
    collection, engine = placed(block, device)
    whole = [table for table in collection.tables.values() if isinstance(table, EmbeddingTable)]
    gradients = TableGradients(whole, sharded=engine)
    optimizer = build_row_optimizer(block, gradients.tables, engine)
    generator = torch.Generator().manual_seed(1)
    for _ in range(STEPS):
        for _ in range(PARTS):
            ids = torch.randint(0, 50, (SIZE,), generator=generator).to(device)
            direction = torch.randn(SIZE, DIM, generator=generator).to(device)
            gradients.begin(torch.ones((), device=device))
            (collection(Batch(SIZE, sparse={"f": IdList(ids)}))["f"] * direction).sum().backward()
        gradients.exchange(1)
        optimizer.step()
        optimizer.zero_grad()
        gradients.clear()
        with torch.no_grad():
            collection(Batch(1, sparse={"f": IdList(ids[:1])}))
    if engine is None:
        return whole[0].weight.detach()
    (rows,) = engine.tables.values()
    return rows.shards[0].values


def placed(
    block: SparseOptimizer, device: torch.device
) -> tuple[EmbeddingCollection, ShardedEngine | None]:
    """Returns a table, and the engine that has it if it is a sharded one."""
    torch.manual_seed(0)
    specs = {"f": EmbeddingSpec("t", ROWS, DIM)}
    if device.type == "cpu" or why_unavailable() is not None:
        return EmbeddingCollection(specs).to(device), None
    with sharded_tables(device_type=device.type):
        collection = EmbeddingCollection(specs)
    assert isinstance(collection.table_of("f"), ShardedTable)
    workers = Workers(1, 1, device, 1 << 33, SIZE, lambda value: value)
    return collection, sharded_engine({"c": collection}, block, workers, None)
