"""Steps of a DLRM whose tables are sharded: raymon's, and a bare loop over TorchRec's."""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
import torch.distributed as dist
import torch.nn.functional as F
from google.protobuf import text_format
from torch import Tensor, nn

from raymon.data import Batch, IdList, Position
from raymon.embeddings import TableShards
from raymon.models import DLRM, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.checkpoint.saver import Saver
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.feed import RunPosition
from raymon.training.input.readers import features_of
from raymon.training.loop.build_model import build_worker_model
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext

TABLES, DIM, NUMBERS = 26, 16, 13
LR = 0.05
WARM_UP = 5

Step = Callable[[Batch], object]
RAYMON, BARE, REPLICATED = "raymon, sharded", "TorchRec, bare loop", "raymon, replicated"
BLOCKING = "torch.save of each rank's part"
SAVES = 3

Figures = dict[str, dict[str, list[float]]]
"""Figures by question and contender."""


def config_of(rows: int, batch_size: int, engine: str) -> PipelineConfig:
    """Returns the config of a DLRM with `TABLES` tables of `rows` rows."""
    names = [f"c{i}" for i in range(TABLES)]
    features = "".join(
        f'feature_configs {{ id_feature {{ feature_name: "{name}" expression: "user:{name}" '
        f"embedding_dim: {DIM} num_buckets: {rows} }} }}"
        for name in names
    )
    sparse = "".join(f'feature_names: "{name}" ' for name in names)
    text = f"""
      model_dir: "unused"
      train_config {{
        sparse_optimizer {{ rowwise_adagrad_optimizer {{ lr: {LR} }} constant_learning_rate {{}} }}
        dense_optimizer {{ adam_optimizer {{ lr: 0.001 }} constant_learning_rate {{}} }}
        num_steps: 1 embedding_tables: {engine}
      }}
      data_config {{ fg_mode: FG_DAG batch_size: {batch_size} label_fields: "click" }}
      {features}
      feature_configs {{ raw_feature {{
        feature_name: "numbers" expression: "user:numbers" value_dim: {NUMBERS}
      }} }}
      model_config {{
        feature_groups {{ group_name: "sparse" group_type: DEEP {sparse} }}
        feature_groups {{ group_name: "dense" group_type: DEEP feature_names: "numbers" }}
        dlrm {{
          dense_mlp {{ hidden_units: [64, {DIM}] }} final {{ hidden_units: [128, 64] }}
        }}
        losses {{ binary_cross_entropy {{}} }}
      }}
    """
    config = PipelineConfig()
    text_format.Parse(text, config)
    return config


def batches(rows: int, batch_size: int, rank: int) -> Iterator[Batch]:
    """Yields batches of a rank without end, with ids drawn uniformly."""
    generator = torch.Generator().manual_seed(rank)
    while True:
        ids = torch.randint(0, rows, (TABLES, batch_size), generator=generator)
        yield Batch(
            batch_size,
            dense={"numbers": torch.rand(batch_size, NUMBERS, generator=generator)},
            sparse={f"c{i}": IdList(each.contiguous()) for i, each in enumerate(ids)},
            labels={"click": (torch.rand(batch_size, generator=generator) < 0.05).float()},
        )


class RaymonStep:
    """Raymon's step, as the loop of a worker makes it.

    Args:
        rows: Rows of each table.
        batch_size: Rows of a batch of a rank.
        engine: Engine of the tables, as in a config.
    """

    def __init__(self, rows: int, batch_size: int, engine: str) -> None:
        config = config_of(rows, batch_size, engine)
        world_size = dist.get_world_size()
        device = torch.device("cpu")
        self.context = WorkerContext(dist.get_rank(), world_size, device, LocalController())
        torch.manual_seed(0)
        self._model = build_worker_model(config, features_of(config), self.context)
        self._optimizers = build_optimizers(config.train_config, self._model)
        self._step = TrainStep(config.train_config, self._model, self._optimizers, self.context)
        self._rows = batch_size * world_size

    def __call__(self, batch: Batch) -> None:
        """Makes a step."""
        self._step.backward(batch, self._rows, 1, True)
        self._step.unscale()
        self._step.update()

    def state(self, step: int) -> TrainState:
        """Returns the state that a save takes."""
        position = RunPosition(Position(0, 0))
        scaler = self._step.scaler
        return TrainState(self._model, self._optimizers, scaler, "none", position, step=step)

    def part(self) -> dict[str, TableShards]:
        """Returns what this rank holds of the tables and of the states of their optimizer."""
        assert self._model.sharded is not None
        states = self._model.sharded.states.items()
        of_states = {f"{path}/{n}": one for path, each in states for n, one in each.items()}
        return {**self._model.sharded.tables, **of_states}


def raymon_step(rows: int, batch_size: int, engine: str) -> RaymonStep:
    """Returns raymon's step."""
    return RaymonStep(rows, batch_size, engine)


class _Bare(nn.Module):
    """The dense part of raymon's DLRM over a collection of TorchRec."""

    def __init__(self, collection: nn.Module, model: DLRM) -> None:
        super().__init__()
        self.collection = collection
        self.bottom = model.dense_mlp
        self.interaction, self.final, self.head = model.interaction, model.final_mlp, model.head

    def forward(self, jagged: Any, numbers: Tensor, labels: Tensor) -> Tensor:
        """Returns the loss."""
        found = self.collection(jagged).values().unflatten(1, (TABLES, DIM))
        assert self.bottom is not None
        vectors = torch.cat([self.bottom(numbers).unsqueeze(1), found], 1)
        both = torch.cat([self.interaction(vectors), vectors.flatten(1)], 1)
        logits = self.head(self.final(both))["logits"]
        return F.binary_cross_entropy_with_logits(logits, labels)


def bare_step(rows: int, batch_size: int) -> Step:
    """A loop over `DistributedModelParallel`, with nothing around it."""
    # By name: it need not be installed, where types are checked neither.
    configs = importlib.import_module("torchrec.modules.embedding_configs")
    modules = importlib.import_module("torchrec.modules.embedding_modules")
    jagged = importlib.import_module("torchrec.sparse.jagged_tensor")
    parallel = importlib.import_module("torchrec.distributed.model_parallel")
    bags = importlib.import_module("torchrec.distributed.embeddingbag")
    kinds = importlib.import_module("fbgemm_gpu.split_embedding_configs").EmbOptimType
    config = config_of(rows, batch_size, "REPLICATED")
    config_of_dense = config_of(1, batch_size, "REPLICATED")
    model = build_model(config_of_dense, features_of(config_of_dense))
    assert isinstance(model, DLRM)
    names = [feature.name for feature in features_of(config) if feature.is_sparse]
    tables = [
        configs.EmbeddingBagConfig(
            name=f"t_{name}", embedding_dim=DIM, num_embeddings=rows, feature_names=[name]
        )
        for name in names
    ]
    collection = modules.EmbeddingBagCollection(tables=tables, device=torch.device("meta"))
    fused = {"optimizer": kinds.EXACT_ROWWISE_ADAGRAD, "learning_rate": LR, "eps": 1e-8}
    whole = parallel.DistributedModelParallel(
        _Bare(collection, model),
        device=torch.device("cpu"),
        sharders=[bags.EmbeddingBagCollectionSharder(fused_params=fused)],
    )
    dense = [p for n, p in whole.named_parameters() if "collection" not in n]
    optimizer = torch.optim.Adam(dense, lr=0.001, fused=True)

    def step(batch: Batch) -> None:
        values = torch.cat([batch.sparse[name].values for name in names])
        lengths = torch.ones(len(values), dtype=torch.int64)
        ids = jagged.KeyedJaggedTensor(names, values, lengths=lengths)
        optimizer.zero_grad()
        whole(ids, batch.dense["numbers"], batch.labels["click"]).backward()
        optimizer.step()

    return step


CONTENDERS: dict[str, Callable[[int, int], Step]] = {
    RAYMON: lambda rows, batch: raymon_step(rows, batch, "SHARDED"),
    BARE: bare_step,
    REPLICATED: lambda rows, batch: raymon_step(rows, batch, "REPLICATED"),
}


def measure(rank: int, folder: Path, rows: int, batch_size: int, turns: int) -> Figures:
    """Returns what each contender takes; they take turns."""
    figures: Figures = {"ms a step": {}, "MB exchanged a step": {}, "standstill for a save, ms": {}}
    steps = {name: make(rows, batch_size) for name, make in CONTENDERS.items()}
    source = batches(rows, batch_size, rank)
    for turn in range(WARM_UP + turns):
        for name, step in steps.items():
            batch = next(source)
            dist.barrier()
            began, sent = time.perf_counter(), _loopback_bytes()
            step(batch)
            dist.barrier()
            if turn >= WARM_UP:
                _add(figures, "ms a step", name, 1e3 * (time.perf_counter() - began))
                _add(figures, "MB exchanged a step", name, (_loopback_bytes() - sent) / 1e6)
    del steps[BARE], steps[REPLICATED]
    ours = steps[RAYMON]
    assert isinstance(ours, RaymonStep)
    saver = Saver(folder / "run", ours.context, False, print)
    for turn in range(SAVES + 1):
        state = ours.state(turn)
        dist.barrier()
        began = time.perf_counter()
        saver.save(state)
        still = time.perf_counter() - began
        saver.wait()
        dist.barrier()
        began = time.perf_counter()
        # As a loop without a saver: its part into a file, and on once all ranks have theirs.
        torch.save(ours.part(), folder / f"part-{rank}.pt")
        dist.barrier()
        # The first copy of raymon goes into memory that the operating system has yet to give.
        if turn:
            _add(figures, "standstill for a save, ms", RAYMON, 1e3 * still)
            blocked = 1e3 * (time.perf_counter() - began)
            _add(figures, "standstill for a save, ms", BLOCKING, blocked)
    saver.close()
    return figures


def resident_share(rank: int, rows: int, batch_size: int) -> float:
    """Returns what sharded tables keep resident of a rank, of its part of rows and states."""
    # What a process loads with its first step is not of the tables.
    small, source = raymon_step(64, batch_size, "SHARDED"), batches(64, batch_size, rank)
    for _ in range(WARM_UP):
        small(next(source))
    before = psutil.Process().memory_info().rss
    large, source = raymon_step(rows, batch_size, "SHARDED"), batches(rows, batch_size, rank)
    for _ in range(WARM_UP):
        large(next(source))
    taken = psutil.Process().memory_info().rss - before
    return taken / sum(shards.nbytes for shards in large.part().values())


def main(mode: str, rank: int, world_size: int, folder: Path, numbers: Sequence[int]) -> None:
    """Prints figures, on rank 0."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=world_size)
    found = (
        resident_share(rank, *numbers[:2]) if mode == "memory" else measure(rank, folder, *numbers)
    )
    if rank == 0:
        print(json.dumps(found))
    dist.destroy_process_group()


def _add(figures: Figures, question: str, name: str, figure: float) -> None:
    figures[question].setdefault(name, []).append(figure)


def _loopback_bytes() -> int:
    return sum(n.bytes_sent for i, n in psutil.net_io_counters(pernic=True).items() if i == "lo")


if __name__ == "__main__":
    main(
        sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]),
        [int(word) for word in sys.argv[5:]],
    )  # fmt: skip
