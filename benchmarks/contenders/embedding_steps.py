"""Steps of one embedding table: look up, backward, update of the rows that were looked up."""

from __future__ import annotations

import gc
import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import (
    EmbeddingCollection,
    EmbeddingTable,
    Workers,
    sharded_engine,
    sharded_tables,
)
from raymon.protos.optimizer_pb2 import SparseOptimizer
from raymon.training.optim.row_optimizers import build_row_optimizer
from raymon.training.optim.table_gradients import TableGradients

DIM, ROWS_OF_STEP = 16, 4_096
WARM_UP = 5
LR = 0.1

Step = Callable[[Tensor], None]
"""A step that looks up ids, int64 `[B]`."""

OPTIMIZERS = ("SGD", "Adagrad", "Adam")
"""Names that all contenders have, where they have the optimizer."""


def raymon_step(rows: int, optimizer: str) -> Step:
    """Raymon's table and its row optimizer."""
    table = EmbeddingTable(rows, DIM, True)
    gradients = TableGradients([table])
    block = SparseOptimizer()
    getattr(block, f"{optimizer.lower()}_optimizer").lr = LR
    updates = build_row_optimizer(block, gradients.tables)

    def step(ids: Tensor) -> None:
        _loss(table(IdList(ids), "sum")).backward()
        gradients.exchange(1)
        updates.step()
        gradients.clear()

    return step


def sharded_step(rows: int, optimizer: str) -> Step:
    """Raymon's engine of sharded tables, on one rank."""
    block = SparseOptimizer()
    getattr(block, f"{optimizer.lower()}_optimizer").lr = LR
    with sharded_tables():
        collection = EmbeddingCollection({"f": EmbeddingSpec("t", rows, DIM)})
    workers = Workers(1, 1, torch.device("cpu"), 1 << 40, ROWS_OF_STEP, lambda value: value)
    engine = sharded_engine({"embeddings": collection}, block, workers, None)
    gradients = TableGradients([], sharded=engine)
    updates = build_row_optimizer(block, [], engine)

    def step(ids: Tensor) -> None:
        _loss(collection(Batch(len(ids), sparse={"f": IdList(ids)}))["f"]).backward()
        gradients.exchange(1)
        updates.step()
        gradients.clear()

    return step


def torch_step(rows: int, optimizer: str) -> Step:
    """Torch's `Embedding` with sparse gradients, and the optimizer that takes them."""
    table = nn.Embedding(rows, DIM, sparse=True)
    kinds: dict[str, type[torch.optim.Optimizer]] = {
        "SGD": torch.optim.SGD,
        "Adagrad": torch.optim.Adagrad,
        "Adam": torch.optim.SparseAdam,
    }
    make: Any = kinds[optimizer]
    updates = make(list(table.parameters()), lr=LR)

    def step(ids: Tensor) -> None:
        _loss(table(ids)).backward()
        updates.step()
        updates.zero_grad()

    return step


def dense_step(rows: int, optimizer: str) -> Step:
    """A dense gradient of torch's `Embedding`, and a fused optimizer that passes over all rows."""
    table = nn.Embedding(rows, DIM)
    make: Any = getattr(torch.optim, optimizer)
    updates = make(list(table.parameters()), lr=LR, fused=True)

    def step(ids: Tensor) -> None:
        _loss(table(ids)).backward()
        updates.step()
        updates.zero_grad()

    return step


def torchrec_step(rows: int, optimizer: str) -> Step:
    """TorchRec's fused collection, which updates rows while it goes backward."""
    # By name: it need not be installed, where types are checked neither.
    configs = importlib.import_module("torchrec.modules.embedding_configs")
    fused = importlib.import_module("torchrec.modules.fused_embedding_modules")
    jagged = importlib.import_module("torchrec.sparse.jagged_tensor")
    config = configs.EmbeddingBagConfig(
        name="t", embedding_dim=DIM, num_embeddings=rows, feature_names=["f"]
    )
    collection = fused.FusedEmbeddingBagCollection(
        [config],
        optimizer_type=getattr(torch.optim, optimizer),
        optimizer_kwargs={"lr": LR},
        device=torch.device("cpu"),
    )
    offsets = torch.arange(ROWS_OF_STEP + 1)

    def step(ids: Tensor) -> None:
        _loss(collection(jagged.KeyedJaggedTensor(["f"], ids, offsets=offsets)).values()).backward()

    return step


def has_torchrec() -> bool:
    """Whether TorchRec is installed, which raymon's environment need not have."""
    return importlib.util.find_spec("torchrec") is not None


def milliseconds(step: Step, rows: int, steps: int) -> list[float]:
    """Returns the times of steps with other ids each, in ms."""
    generator = torch.Generator().manual_seed(0)
    batches: Sequence[Tensor] = [
        torch.randint(0, rows, (ROWS_OF_STEP,), generator=generator) for _ in range(steps + WARM_UP)
    ]
    times = []
    for ids in batches:
        began = time.perf_counter()
        step(ids)
        times.append(1e3 * (time.perf_counter() - began))
    return times[WARM_UP:]


def resident_bytes(make: Callable[[], Step], rows: int) -> int:
    """Returns what a table and its optimizer keep resident, once all of their rows are there."""
    gc.collect()
    before = _resident()
    step = make()
    touch(step, rows)
    gc.collect()
    return _resident() - before


def touch(step: Step, rows: int) -> None:
    """Looks up every row once: the pages of a state that is zero come with their first row."""
    ids = torch.arange(rows)
    for start in range(0, rows - ROWS_OF_STEP + 1, ROWS_OF_STEP):
        step(ids[start : start + ROWS_OF_STEP])


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096


def _loss(embeddings: Tensor) -> Tensor:
    return embeddings.square().sum()
