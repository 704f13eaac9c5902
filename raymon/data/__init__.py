"""Files to batches of tensors."""

from raymon.data.batch import Batch, IdList
from raymon.data.check import InputSummary, check_input
from raymon.data.converter import Columns
from raymon.data.csv_file import CsvFormat
from raymon.data.feature import EmbeddingSpec, Feature
from raymon.data.features import build_features
from raymon.data.formats import FileFormat, FileKind
from raymon.data.labels import LabelKind
from raymon.data.plan import Position
from raymon.data.reader import DataReader

__all__ = [
    "Batch",
    "Columns",
    "CsvFormat",
    "DataReader",
    "EmbeddingSpec",
    "Feature",
    "FileFormat",
    "FileKind",
    "IdList",
    "InputSummary",
    "LabelKind",
    "Position",
    "build_features",
    "check_input",
]
