"""How a table may be sharded: the names that constraints can have."""

from __future__ import annotations

from raymon.config.unknown_names import describe_unknown
from raymon.protos.feature_pb2 import ParameterConstraints

SHARDING_TYPES = (
    "data_parallel",
    "table_wise",
    "column_wise",
    "row_wise",
    "table_row_wise",
    "table_column_wise",
    "grid_shard",
)
"""Ways to divide a table among workers (`torchrec.distributed.types.ShardingType`)."""

COMPUTE_KERNELS = ("dense", "fused", "fused_uvm", "fused_uvm_caching", "key_value")
"""Ways to look up rows (`torchrec.distributed.embedding_types.EmbeddingComputeKernel`)."""


def unknown_constraint(constraints: ParameterConstraints) -> tuple[str, str] | None:
    """Returns the first name of constraints that is not known, or is there twice.

    Returns:
        Path of the item within the block, and what is wrong; None if all is right.
    """
    for field, known, what in (
        ("sharding_types", SHARDING_TYPES, "sharding type"),
        ("compute_kernels", COMPUTE_KERNELS, "compute kernel"),
    ):
        names = list(getattr(constraints, field))
        for index, name in enumerate(names):
            if name not in known:
                return f"{field}[{index}]", describe_unknown(name, known, what)
            if name in names[:index]:
                return f"{field}[{index}]", f'"{name}" is listed twice'
    return None
