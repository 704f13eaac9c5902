"""A sample of the rows of files, in the types that their values have."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace

import pyarrow as pa

from raymon.data.files.csv_file import CsvFormat
from raymon.data.files.data_file import DataFile
from raymon.data.files.formats import FileFormat, FileKind, format_by_ending, input_files
from raymon.data.reading.converter import Columns
from raymon.data.reading.order import RowRange, row_groups
from raymon.data.reading.table_files import as_schema, common_type, open_table
from raymon.errors import DataError, first_line

_ROWS = 100_000
_RANGES = 32
_DELIMITERS = (",", "\t", ";", "|")
_HEAD = 1 << 20


@dataclass(frozen=True)
class TableSample:
    """Rows of files.

    Attributes:
        table: The rows that were read, from all over the files.
        rows: Number of rows of all files.
        file_format: Format of the files.
        partial: Columns that only some files have, which are not in the table.
    """

    table: pa.Table
    rows: int
    file_format: FileFormat
    partial: tuple[str, ...] = ()


def read_sample(path: str, rows: int = _ROWS) -> TableSample:
    """Reads a sample of the rows of files.

    Values of CSV are integers or numbers where all that were read are.

    Args:
        path: Files, a directory or a glob, of Parquet, CSV with a header, or Arrow IPC.
        rows: Number of rows to read.

    Raises:
        DataError: There is no such file, one cannot be read, or there are no rows.
    """
    form = format_by_ending(path, FileFormat())
    if form.kind is FileKind.CSV:
        form = replace(form, csv=replace(form.csv, delimiter=_delimiter(path, form.csv)))
    files = open_table(path, Columns([], {}), form)
    ranges = row_groups(files)
    if not ranges:
        raise DataError(f"{path}: has no rows; a run needs some")
    names = list(dict.fromkeys(name for file in files for name in file.schema.names))
    shared = [name for name in names if all(name in file.schema.names for file in files)]
    _check_names(files, shared)
    schema = pa.schema([(name, common_type(name, files)) for name in shared])
    table = pa.concat_tables([_read(part, schema) for part in _spread(ranges, rows)])
    if form.kind is FileKind.CSV:
        table = pa.table({name: _typed(table[name]) for name in table.column_names})
    partial = tuple(name for name in names if name not in shared)
    return TableSample(table, sum(map(len, ranges)), form, partial)


def _spread(ranges: list[RowRange], rows: int) -> list[RowRange]:
    """Returns parts of ranges from all over the files, of so many rows together."""
    count = min(len(ranges), _RANGES)
    chosen = [ranges[index * len(ranges) // count] for index in range(count)]
    each = -(-rows // count)
    return [part.part(0, min(each, len(part))) for part in chosen]


def _read(part: RowRange, schema: pa.Schema) -> pa.Table:
    rows = part.file.read(part.row_group, part.start, part.stop, schema.names, (), len(part))
    tables = [as_schema(table, schema, part.file.path) for _, table in rows]
    return pa.concat_tables([schema.empty_table(), *tables])


def _check_names(files: list[DataFile], names: list[str]) -> None:
    for file in files:
        for name in names:
            if file.schema.names.count(name) > 1:
                raise DataError(f"{file.path}: has several columns {name}; names must differ")


def _delimiter(path: str, form: CsvFormat) -> str:
    """Returns the delimiter that the first line of the first file has most of."""
    found = input_files(path, FileKind.CSV)[0]
    try:
        with found.filesystem.open_input_stream(found.inner_path) as source:
            line = source.read(_HEAD).partition(b"\n")[0].decode("utf-8", "replace")
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{found.path}: cannot be read: {first_line(error)}") from None
    counts = {each: len(next(csv.reader([line], delimiter=each), [])) for each in _DELIMITERS}
    most = max(counts.values())
    usual = form.delimiter
    return usual if counts.get(usual) == most else max(counts, key=counts.__getitem__)


def _typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns strings of CSV as integers or numbers if all of them are."""
    if column.null_count == len(column):
        return column
    for kind in (pa.int64(), pa.float64()):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    return column
