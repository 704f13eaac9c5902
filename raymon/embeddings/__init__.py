"""Embedding tables: their rows, the gradients of these, and the engines that hold them."""

from raymon.embeddings.collection import EmbeddingCollection, specs_of
from raymon.embeddings.data_types import DATA_TYPES, row_type
from raymon.embeddings.dense_row_gradients import DenseRowGradients
from raymon.embeddings.engine import check_engine
from raymon.embeddings.growing import GrowingIds, GrowthCounts, IdCounts, exchange
from raymon.embeddings.initial_values import draw_seed, fill, initial_rows
from raymon.embeddings.row_gradients import RowGradients, look_up
from raymon.embeddings.sparse_row_gradients import SparseRowGradients
from raymon.embeddings.table import EmbeddingTable

__all__ = [
    "DATA_TYPES",
    "DenseRowGradients",
    "EmbeddingCollection",
    "EmbeddingTable",
    "GrowingIds",
    "GrowthCounts",
    "IdCounts",
    "RowGradients",
    "SparseRowGradients",
    "check_engine",
    "draw_seed",
    "exchange",
    "fill",
    "initial_rows",
    "look_up",
    "row_type",
    "specs_of",
]
