"""Parquet to batches of tensors."""

from raymon.data.batch import Batch, IdList
from raymon.data.check import InputSummary, check_input
from raymon.data.feature import EmbeddingSpec, Feature
from raymon.data.features import build_features
from raymon.data.labels import LabelKind
from raymon.data.plan import Position
from raymon.data.reader import ParquetReader

__all__ = [
    "Batch",
    "EmbeddingSpec",
    "Feature",
    "IdList",
    "InputSummary",
    "LabelKind",
    "ParquetReader",
    "Position",
    "build_features",
    "check_input",
]
