"""Steps of a DLRM whose tables are sharded: raymon's, and a bare loop over TorchRec's."""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from google.protobuf import text_format
from torch import Tensor, nn

from raymon.data import Batch, IdList
from raymon.models import DLRM, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
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


def raymon_step(rows: int, batch_size: int, engine: str) -> Step:
    """Raymon's step, as the loop of a worker makes it."""
    config = config_of(rows, batch_size, engine)
    world_size = dist.get_world_size()
    context = WorkerContext(dist.get_rank(), world_size, torch.device("cpu"), LocalController())
    torch.manual_seed(0)
    model = build_worker_model(config, features_of(config), context)
    optimizers = build_optimizers(config.train_config, model)
    train_step = TrainStep(config.train_config, model, optimizers, context)

    def step(batch: Batch) -> None:
        train_step.backward(batch, batch_size * world_size, 1, True)
        train_step.unscale()
        train_step.update()

    return step


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


def bare_step(rows: int, batch_size: int, _: str) -> Step:
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


CONTENDERS: dict[str, Callable[[int, int, str], Step]] = {
    RAYMON: lambda rows, batch, _: raymon_step(rows, batch, "SHARDED"),
    BARE: bare_step,
    REPLICATED: lambda rows, batch, _: raymon_step(rows, batch, "REPLICATED"),
}


def main(rank: int, world_size: int, store: str, rows: int, batch_size: int, turns: int) -> None:
    """Prints, on rank 0, milliseconds of steps of each contender, which take turns."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", f"file://{store}", rank=rank, world_size=world_size)
    steps = {name: make(rows, batch_size, "") for name, make in CONTENDERS.items()}
    source = batches(rows, batch_size, rank)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(WARM_UP + turns):
        for name, step in steps.items():
            batch = next(source)
            dist.barrier()
            began = time.perf_counter()
            step(batch)
            dist.barrier()
            if turn >= WARM_UP:
                times[name].append(1e3 * (time.perf_counter() - began))
    if rank == 0:
        print(json.dumps(times))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:7]))
