"""Embedding tables: their rows, the gradients of these, and the engines that hold them."""

from raymon.embeddings.collection import EmbeddingCollection, sharded_tables, specs_of
from raymon.embeddings.data_types import DATA_TYPES, row_type
from raymon.embeddings.dense_row_gradients import DenseRowGradients
from raymon.embeddings.engine import check_kernels, shards_tables
from raymon.embeddings.growing import GrowingIds, GrowthCounts, IdCounts, add_up, exchange
from raymon.embeddings.health import LookupCounter, table_health
from raymon.embeddings.host_memory import memory_limit
from raymon.embeddings.initial_values import draw_seed, fill, initial_rows
from raymon.embeddings.joining import SMALL, is_small, join_tables
from raymon.embeddings.joint_table import JointTable
from raymon.embeddings.memory import (
    ID_BYTES,
    ROW_WISE_ADAGRAD,
    Capacity,
    StateNumbers,
    TableMemory,
    TableShape,
    size_text,
    state_numbers,
    table_memory,
    table_shapes,
    why_not_fit,
)
from raymon.embeddings.padded_row_gradients import PaddedRowGradients
from raymon.embeddings.part_gradients import PartGradients
from raymon.embeddings.row_gradients import RowGradients, look_up, numbers_of
from raymon.embeddings.sharded import Workers, fitting_versions, sharded_engine, why_unavailable
from raymon.embeddings.sharded_table import ShardedTable
from raymon.embeddings.sparse_row_gradients import SparseRowGradients
from raymon.embeddings.table import EmbeddingTable
from raymon.embeddings.table_engine import ShardedEngine
from raymon.embeddings.table_plan import TablePlan, plan_lines, replicated_plan
from raymon.embeddings.table_shards import Shard, TableShards

__all__ = [
    "DATA_TYPES",
    "ID_BYTES",
    "ROW_WISE_ADAGRAD",
    "SMALL",
    "Capacity",
    "DenseRowGradients",
    "EmbeddingCollection",
    "EmbeddingTable",
    "GrowingIds",
    "GrowthCounts",
    "IdCounts",
    "JointTable",
    "LookupCounter",
    "PaddedRowGradients",
    "PartGradients",
    "RowGradients",
    "Shard",
    "ShardedEngine",
    "ShardedTable",
    "SparseRowGradients",
    "StateNumbers",
    "TableMemory",
    "TablePlan",
    "TableShape",
    "TableShards",
    "Workers",
    "add_up",
    "check_kernels",
    "draw_seed",
    "exchange",
    "fill",
    "fitting_versions",
    "initial_rows",
    "is_small",
    "join_tables",
    "look_up",
    "memory_limit",
    "numbers_of",
    "plan_lines",
    "replicated_plan",
    "row_type",
    "sharded_engine",
    "sharded_tables",
    "shards_tables",
    "size_text",
    "specs_of",
    "state_numbers",
    "table_health",
    "table_memory",
    "table_shapes",
    "why_not_fit",
    "why_unavailable",
]
