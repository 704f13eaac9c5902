"""Whether columns are raw or hold ids already, by `data_config.fg_mode` or by the data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from raymon.config import feature_blocks
from raymon.data.features.build import build_features
from raymon.data.features.building.kinds import names_columns
from raymon.data.features.encoded_feature import EncodedIds
from raymon.data.features.encoding import Encoding
from raymon.data.features.feature import Feature
from raymon.data.features.sequence_feature import SequenceFeature
from raymon.data.files.data_file import DataFile
from raymon.data.values import arrow_types
from raymon.errors import DataError
from raymon.protos.data_pb2 import FgMode
from raymon.protos.pipeline_pb2 import PipelineConfig

LOOKED_AT = 4096
"""Number of rows, at most, that are inspected."""


def pipeline_features(config: PipelineConfig) -> list[Feature]:
    """Returns the features of a pipeline.

    Raises:
        ConfigError: A feature is described wrongly; see `build_features`.
    """
    encoding, data = None, config.data_config
    if is_encoded(config):
        encoding = Encoding(data.fg_encoded_multival_sep)
    elif data.fg_mode == FgMode.FG_BUCKETIZE:
        encoding = Encoding(data.fg_encoded_multival_sep, bucketized=False)
    constraints = config.train_config.global_embedding_constraints
    return build_features(config.feature_configs, encoding, constraints)


def same_ids(one: FgMode, other: FgMode) -> bool:
    """Whether features have the same ids in two modes."""
    raw = (FgMode.FG_NORMAL, FgMode.FG_DAG)
    return one == other or (one in raw and other in raw)


def is_encoded(config: PipelineConfig) -> bool:
    """Whether columns hold ids already.

    If the config does not say, columns are raw if every feature has an expression, which names the
    columns that it is made from.
    """
    data = config.data_config
    if data.HasField("fg_mode"):
        return data.fg_mode == FgMode.FG_NONE
    return not all(map(names_columns, feature_blocks(config.feature_configs)))


def why_raw(
    encoded: Sequence[Feature], raw: Sequence[Feature], files: Iterable[DataFile]
) -> str | None:
    """Returns why the columns of files must be raw; None if they may hold ids already.

    Inspects the first file with rows: its columns, its statistics and its first rows.

    Args:
        encoded: Features, as built for columns that hold ids already.
        raw: The same features, as built for raw columns.
        files: Training data.
    """
    file = next((file for file in files if file.rows), None)
    if file is None:
        return None
    there = set(file.schema.names)
    missing = [feature.name for feature in encoded if feature.name not in there]
    if missing:
        raw_columns = {column for feature in raw for column in feature.columns}
        if raw_columns <= there:
            return f"{file.path} has no column {missing[0]} but all columns of the expressions"
        return None
    if any(file.schema.names.count(feature.name) > 1 for feature in encoded):
        return None  # the check of the columns reports it
    for feature in encoded:
        column_type = file.schema.field(feature.name).type
        if not feature.accepts(column_type):
            return f"column {feature.name} is {column_type} in {file.path}"
        if isinstance(feature, EncodedIds) and pa.types.is_integer(column_type):
            why = _out_of_table(feature, file)
            if why is not None:
                return why
    return _no_ids(encoded, file)


def _out_of_table(feature: EncodedIds, file: DataFile) -> str | None:
    assert feature.embedding is not None
    if feature.embedding.growth is not None:
        return None
    rows = feature.embedding.num_embeddings
    for found in file.statistics(feature.name):
        for value in (found.least, found.most):
            if value is not None and not 0 <= value < rows:
                return (
                    f"column {feature.name} has {value} in {file.path}, and its table {rows} rows"
                )
    return None


def _no_ids(features: Sequence[Feature], file: DataFile) -> str | None:
    group = next(i for i, rows in enumerate(file.row_group_rows) if rows)
    rows = min(file.row_group_rows[group], LOOKED_AT)
    names = [feature.name for feature in features]
    table = next(file.read(group, 0, rows, names, (), rows))[1]
    for feature in features:
        of_position = feature.of_position if isinstance(feature, SequenceFeature) else feature
        if not isinstance(of_position, EncodedIds):
            continue
        try:
            feature.convert(table[feature.name])
        except DataError as error:
            return f"{file.path}: {str(error).partition(';')[0]}"
        if not isinstance(feature, EncodedIds):
            continue
        padded = _padded(table[feature.name], feature.separator)
        if padded is not None:
            return f"column {feature.name} has {padded!r} in {file.path}, a code and no number"
    return None


def _padded(column: pa.ChunkedArray, separator: str) -> str | None:
    """Returns a text that begins with zeros, as codes do and ids never; None if there is none."""
    array = arrow_types.as_array(column)
    if not arrow_types.is_string(array.type):
        return None
    texts = array.dictionary if pa.types.is_dictionary(array.type) else array
    begins = re.escape(separator)
    found = texts.filter(pc.match_substring_regex(texts, f"(^|{begins})-?0[0-9]"))
    return str(found[0].as_py()) if len(found) else None
