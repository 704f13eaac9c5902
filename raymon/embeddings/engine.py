"""The engine that holds the tables: replicated or sharded, as a config asks and a machine can."""

from __future__ import annotations

from collections.abc import Iterable

from raymon.data import EmbeddingSpec
from raymon.embeddings.sharded import why_unavailable
from raymon.errors import ConfigError
from raymon.protos import optimizer_pb2 as pb
from raymon.protos.train_pb2 import EmbeddingTables, TrainConfig

_ON_CPU = ("sgd_optimizer", "adagrad_optimizer", "rowwise_adagrad_optimizer")
"""Sparse optimizers for which fbgemm has kernels on the CPU; on CUDA it has more."""

_ON_CUDA = (*_ON_CPU, "adam_optimizer", "partial_rowwise_adam_optimizer")
"""Those that sharded tables have on CUDA."""


def shards_tables(config: TrainConfig, world_size: int, device_type: str) -> bool:
    """Returns whether tables are sharded over the workers.

    Args:
        config: Its `embedding_tables` says what is asked for, its `sparse_optimizer` how tables are
            trained.
        world_size: Number of workers.
        device_type: Device of the workers, "cpu" or "cuda".

    Raises:
        ConfigError: It is asked for, and not possible.
    """
    if config.embedding_tables == EmbeddingTables.REPLICATED:
        return False
    why = _why_not(config, device_type)
    if config.embedding_tables == EmbeddingTables.AUTO:
        return why is None and (world_size > 1 or device_type == "cuda")
    if why is not None:
        raise ConfigError(f"train_config.embedding_tables: is SHARDED, and {why}")
    return True


def check_kernels(specs: Iterable[EmbeddingSpec], device_type: str) -> None:
    """Checks that sharded tables can have a kernel that their constraints name.

    Args:
        specs: The tables.
        device_type: Device of the workers, "cpu" or "cuda".

    Raises:
        ConfigError: A table may only have kernels that there are not.
    """
    there = ("fused",) if device_type == "cpu" else ("fused", "fused_uvm", "fused_uvm_caching")
    for spec in specs:
        if spec.compute_kernels and not set(spec.compute_kernels) & set(there):
            raise ConfigError(
                f"feature_configs: compute_kernels of the table {spec.name}: "
                f"{', '.join(spec.compute_kernels)} cannot be had here; use {' or '.join(there)}"
            )


def _why_not(config: TrainConfig, device_type: str) -> str | None:
    if not config.HasField("sparse_optimizer"):
        return "there is no sparse_optimizer, which moves the rows that a step looked up; give one"
    kind = config.sparse_optimizer.WhichOneof("optimizer")
    there = _ON_CPU if device_type == "cpu" else _ON_CUDA
    if kind not in there:
        where = " on the CPU" if kind in _ON_CUDA else ""
        return (
            f"sharded tables have no {kind}{where}; use {', '.join(there[:-1])} or {there[-1]}, or "
            "embedding_tables: REPLICATED"
        )
    rowwise = config.sparse_optimizer.rowwise_adagrad_optimizer
    if device_type == "cpu" and rowwise.weight_decay and rowwise.weight_decay_mode != pb.NONE:
        # fbgemm's kernel takes the decay, and leaves it out.
        return (
            "sharded tables have no weight_decay on the CPU; leave it out, or use "
            "embedding_tables: REPLICATED"
        )
    return why_unavailable()
