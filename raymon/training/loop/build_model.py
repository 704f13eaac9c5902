"""The model of a worker, with the engine that holds its tables."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import torch

from raymon.data import Feature
from raymon.embeddings import (
    EmbeddingCollection,
    ShardedTable,
    Workers,
    join_tables,
    memory_limit,
    sharded_engine,
    sharded_tables,
    shards_tables,
)
from raymon.models import Model, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import EmbeddingTables
from raymon.training.optim.row_optimizers import max_gradient
from raymon.training.rank.worker_context import WorkerContext

_LARGE = 32_769
"""Rows of the smallest table that is sharded if the config leaves it open.

The whole gradient of a smaller one is exchanged in less time than the ids and embeddings of a step
are, one way and back: the demo's tables, of up to 3,000 rows, take 10 ms a step whole, 38 sharded.
"""


def build_worker_model(
    config: PipelineConfig, features: Sequence[Feature], context: WorkerContext
) -> Model:
    """Returns the model on the device of a worker, with initial weights; every rank calls it.

    Weights come from torch's default generator, except those of tables: they are a function of the
    seed and of the name of the table, so that no rank needs more than its part.

    Raises:
        ConfigError: The model cannot be built, or its tables cannot be placed.
    """
    if not shards_tables(config.train_config, context.world_size, context.device.type):
        model = build_model(config, features)
        return _moved(model, context)
    asked = config.train_config.embedding_tables == EmbeddingTables.SHARDED
    with sharded_tables(0 if asked else _LARGE, context.device.type):
        model = build_model(config, features)
    _moved(model, context)
    _shard(model, config, context)
    return model


def _moved(model: Model, context: WorkerContext) -> Model:
    # Joined on the way: later, each table would be on the device twice.
    join_tables(model.whole_tables(), context.device)
    return model.to(context.device)


def _shard(model: Model, config: PipelineConfig, context: WorkerContext) -> None:
    collections = {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, EmbeddingCollection)
        and any(isinstance(table, ShardedTable) for table in module.tables.values())
    }
    if not collections:
        return
    nodes = context.gather(socket.gethostname())
    on_node = {nodes.count(node) for node in nodes}
    block = config.train_config.sparse_optimizer
    model.sharded = sharded_engine(
        collections,
        block,
        Workers(
            context.world_size,
            on_node.pop() if len(on_node) == 1 else 1,
            context.device,
            _memory(context, nodes),
            config.data_config.batch_size,
            context.broadcast,
            context.clock.waiting_for_peers,
        ),
        max_gradient(block),
    )


def _memory(context: WorkerContext, nodes: Sequence[str]) -> int:
    """Returns the bytes that a worker may take, the same on every rank."""
    if context.device.type == "cuda":
        free = torch.cuda.mem_get_info(context.device)[0]
    else:
        free = memory_limit() // nodes.count(nodes[context.rank])
    return min(context.gather(free))
