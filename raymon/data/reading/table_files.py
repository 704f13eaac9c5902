"""The files of a path as the parts of one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from raymon.data.files.csv_file import CsvFile
from raymon.data.files.data_file import DataFile
from raymon.data.files.formats import FileFormat, FileKind, open_files
from raymon.data.reading.converter import Columns
from raymon.errors import DataError, first_line


def open_table(
    path: str,
    columns: Columns,
    file_format: FileFormat | None = None,
    skipped: list[str] | None = None,
) -> list[DataFile]:
    """Opens all files that a path means, as parts of one table.

    The type of a column of CSV follows from its use, and is the same in all files: a column whose
    values become ids is of strings, as they are in the file; one whose values are numbers is of
    numbers.

    Args:
        path: Files, a directory or a glob, as `open_files` takes them.
        columns: Columns that are needed.
        file_format: Format of the files; None for Parquet.
        skipped: Receives a message for each file that is of another format, and lines of CSV that
            are no rows are left out; None if both are errors.

    Raises:
        DataError: There is no file, or one that is not of the format.
    """
    if file_format is not None and file_format.kind is FileKind.CSV:
        needed = {name: text_type(name, columns) for name in columns.names}
        csv = replace(file_format.csv, needed=needed, skip_bad_rows=skipped is not None)
        file_format = replace(file_format, csv=csv)
    files = open_files(path, file_format, skipped)
    # A partition without rows may be a file of no bytes.
    files = [file for file in files if not (isinstance(file, CsvFile) and file.is_empty)]
    if not files:
        raise DataError(f"{path}: has no rows; a run needs some")
    return files


def common_type(name: str, files: Sequence[DataFile]) -> pa.DataType:
    """Returns the type that a column of all files can have without a loss.

    Raises:
        DataError: There is none, or a file does not have the column.
    """
    types = {}
    for file in files:
        if name not in file.schema.names:
            raise DataError(f"{file.path}: has no column {name}")
        types[file.path] = file.schema.field(name).type
    first, *others = types
    common = types[first]
    if any(types[path] != common for path in others):
        types = {path: _plain(kind, list(types.values())) for path, kind in types.items()}
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


def as_schema(table: pa.Table, schema: pa.Schema, source: str) -> pa.Table:
    """Returns a table with the columns of a schema, in its types.

    Raises:
        DataError: A value cannot be of its type.
    """
    columns = []
    for field in schema:
        column = table[field.name]
        if pa.types.is_dictionary(column.type) and not pa.types.is_dictionary(field.type):
            column = column.cast(column.type.value_type)
        try:
            columns.append(column.cast(field.type))
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{source}: column {field.name}: {first_line(error)} of {field.type}, its type in "
                "other files"
            ) from None
    return pa.table(columns, schema=schema)


def _plain(column_type: pa.DataType, all_types: Sequence[pa.DataType]) -> pa.DataType:
    """Returns the type of the values themselves, if files store them in different ways."""
    if pa.types.is_dictionary(column_type):
        column_type = column_type.value_type
    numbers = any(pa.types.is_integer(each) or pa.types.is_floating(each) for each in all_types)
    return pa.int8() if numbers and pa.types.is_boolean(column_type) else column_type


def text_type(name: str, columns: Columns) -> pa.DataType:
    """Returns the type of a column of text by its use: numbers, or strings as they are."""
    uses = [use for feature in columns.features for use in feature.uses if use.column == name]
    numeric = [use.accepts(pa.float64()) for use in uses if use.from_numbers]
    texts = name in columns.categorical or not all(numeric)
    numbers = any(numeric) or name in columns.weights
    numbers |= name in columns.labels and not _maps_texts(columns)
    if texts and numbers:
        # Used as ids and as numbers: only integers have a certain canonical form.
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
