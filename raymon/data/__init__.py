"""Reads data: from files, or the datasets of a program, to batches of tensors."""

from raymon.data.batch import Batch, Candidates, IdList, JoinedIds, Positions
from raymon.data.datasets.dataset_reader import (
    DatasetBatch,
    DatasetPosition,
    DatasetReader,
    missing_rows,
)
from raymon.data.datasets.opened_dataset import ARGUMENTS, has_state, wanted_arguments
from raymon.data.features.build import build_features
from raymon.data.features.feature import DenseEmbedding, EmbeddingSpec, Feature
from raymon.data.features.fg_mode import is_encoded, pipeline_features, same_ids, why_raw
from raymon.data.features.growth import AdmissionFilter, Growth
from raymon.data.features.initializer import Initializer, parse_initializer
from raymon.data.features.vocabulary import Vocabulary
from raymon.data.files.csv_file import CsvFormat, compression_of
from raymon.data.files.formats import (
    FileFormat,
    FileKind,
    format_by_ending,
    format_of,
    input_files,
    kinds_by_ending,
    parquet_paths,
)
from raymon.data.files.input_paths import absolute_paths, may_be_read
from raymon.data.input_counts import InputCounts
from raymon.data.profile.column_profile import ColumnProfile, ValueKind, profile_column
from raymon.data.profile.numbers import NumberProfile
from raymon.data.profile.sample import TableSample, read_sample
from raymon.data.reading.check import InputSummary, check_input, check_schema
from raymon.data.reading.converter import Columns
from raymon.data.reading.order import RowRange
from raymon.data.reading.plan import Position
from raymon.data.reading.reader import DataReader
from raymon.data.reading.table_files import open_table
from raymon.data.sampling.sampler import Sampler, SamplerTables, item_features
from raymon.data.sampling.sampler_spec import SamplerSpec, sampler_spec
from raymon.data.sampling.text_table import file_versions
from raymon.data.transfer.device_feed import on_device
from raymon.data.values.labels import LabelKind, check_label_map

__all__ = [
    "ARGUMENTS",
    "AdmissionFilter",
    "Batch",
    "Candidates",
    "ColumnProfile",
    "Columns",
    "CsvFormat",
    "DataReader",
    "DatasetBatch",
    "DatasetPosition",
    "DatasetReader",
    "DenseEmbedding",
    "EmbeddingSpec",
    "Feature",
    "FileFormat",
    "FileKind",
    "Growth",
    "IdList",
    "Initializer",
    "InputCounts",
    "InputSummary",
    "JoinedIds",
    "LabelKind",
    "NumberProfile",
    "Position",
    "Positions",
    "RowRange",
    "Sampler",
    "SamplerSpec",
    "SamplerTables",
    "TableSample",
    "ValueKind",
    "Vocabulary",
    "absolute_paths",
    "build_features",
    "check_input",
    "check_label_map",
    "check_schema",
    "compression_of",
    "file_versions",
    "format_by_ending",
    "format_of",
    "has_state",
    "input_files",
    "is_encoded",
    "item_features",
    "kinds_by_ending",
    "may_be_read",
    "missing_rows",
    "on_device",
    "open_table",
    "parquet_paths",
    "parse_initializer",
    "pipeline_features",
    "profile_column",
    "read_sample",
    "same_ids",
    "sampler_spec",
    "wanted_arguments",
    "why_raw",
]
