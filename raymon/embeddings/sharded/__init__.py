"""The engine that shards tables over workers, by TorchRec, which only `sharded_engine` imports."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.embeddings.collection import EmbeddingCollection
from raymon.embeddings.sharded.availability import fitting_versions, why_unavailable
from raymon.embeddings.sharded.workers import Workers
from raymon.embeddings.table_engine import ShardedEngine
from raymon.protos.optimizer_pb2 import SparseOptimizer

__all__ = ["Workers", "fitting_versions", "sharded_engine", "why_unavailable"]


def sharded_engine(
    collections: Mapping[str, EmbeddingCollection],
    block: SparseOptimizer,
    workers: Workers,
    limit: float | None,
) -> ShardedEngine:
    """Places the tables of collections on workers; every rank calls it at the same point.

    Args:
        collections: Collections that were made in the context of `sharded_tables`, by their path
            in the model.
        block: Optimizer of the tables.
        workers: The workers that hold them.
        limit: Bound of the gradients of looked-up embeddings; None for none.

    Raises:
        ConfigError: No plan satisfies the constraints, or fits into the memory.
    """
    from raymon.embeddings.sharded.tables import ShardedTables

    return ShardedTables(collections, block, workers, limit)
