"""The files of a path as the parts of one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from raymon.data.converter import Columns
from raymon.data.csv_file import CsvFile
from raymon.data.data_file import DataFile
from raymon.data.formats import FileFormat, FileKind, open_files
from raymon.errors import DataError


def open_table(
    path: str,
    columns: Columns,
    file_format: FileFormat | None = None,
    skipped: list[str] | None = None,
) -> list[DataFile]:
    """Opens all files that a path means, as parts of one table.

    The type of a column of CSV is what it is needed for, the same in all files: one whose values
    become ids is of strings, as they are in the file, one whose values are numbers of numbers.

    Args:
        path: as `open_files` takes it.
        columns: that are needed.
        file_format: Parquet where it is None.
        skipped: gets what is wrong with files that are of another format, and lines of CSV that are
            no rows are left out; None: that is an error.

    Raises:
        DataError: no file, or one that is not of the format.
    """
    if file_format is not None and file_format.kind is FileKind.CSV:
        needed = {name: _csv_type(name, columns) for name in columns.names}
        csv = replace(file_format.csv, needed=needed, skip_bad_rows=skipped is not None)
        file_format = replace(file_format, csv=csv)
    files = open_files(path, file_format, skipped)
    # A partition without a row may be a file without a byte.
    files = [file for file in files if not (isinstance(file, CsvFile) and file.is_empty)]
    if not files:
        raise DataError(f"{path}: has no rows; a run needs some")
    return files


def common_type(name: str, files: Sequence[DataFile]) -> pa.DataType:
    """The type that a column of all files can have without a loss.

    Raises:
        DataError: there is none, or a file has not the column.
    """
    types = {}
    for file in files:
        if name not in file.schema.names:
            raise DataError(f"{file.path}: has no column {name}")
        types[file.path] = file.schema.field(name).type
    first, *others = types
    common = types[first]
    for path in others:
        schemas = [pa.schema([(name, column_type)]) for column_type in (common, types[path])]
        try:
            common = pa.unify_schemas(schemas, promote_options="permissive").field(name).type
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise DataError(
                f"{path}: column {name} is {types[path]}, but {types[first]} in {first}; all files "
                "must agree"
            ) from None
    return common


def _csv_type(name: str, columns: Columns) -> pa.DataType:
    features = [feature for feature in columns.features if name in feature.columns]
    numeric = [feature.accepts(pa.float64()) for feature in features if feature.made_from_numbers]
    texts = name in columns.categorical or not all(numeric)
    numbers = any(numeric) or name in columns.weights
    numbers |= name in columns.labels and not _maps_texts(columns)
    if texts and numbers:
        # Of ids that are numbers too integers are the ones that are certain.
        return pa.int64()
    return pa.float64() if numbers else pa.string()


def _maps_texts(columns: Columns) -> bool:
    """Whether there are labels that are no numbers."""
    return not all(_is_number(text) for text in columns.label_map)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
