"""A small table of files: Parquet, Arrow IPC, or text with a header, whole in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from raymon.data.files.csv_file import compression_of
from raymon.data.files.formats import input_files
from raymon.data.files.found_file import FoundFile
from raymon.errors import DataError, first_line

_COMMA = (".csv", ".csv.gz", ".csv.bz2", ".csv.zst")


def read_tables(path: str, delimiter: str) -> list[tuple[str, pa.Table]]:
    """Reads all files of a path.

    Text has a header; a name in it may be followed by a type, as in `id:int64`, which is left out.
    Its values are strings, and an empty one is null.

    Args:
        path: Files, a directory or a glob.
        delimiter: In text, what is between the columns; in a file that ends in .csv, a comma does
            too if the header has no other.

    Returns:
        The path of each file, and its table.

    Raises:
        DataError: There is no file, or one cannot be read.
    """
    tables = []
    for found in input_files(path):
        try:
            table = _read(found, delimiter)
        except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
            raise DataError(f"{found.path}: cannot be read: {first_line(error)}") from None
        tables.append((found.path, table.rename_columns(_plain_names(table.column_names))))
    return tables


def file_versions(path: str) -> list[tuple[str, object]]:
    """Returns the files of a path, each with what changes when it is written again.

    None of a path that cannot be listed, which `read_tables` tells.
    """
    try:
        return [(found.path, found.version) for found in input_files(path)]
    except DataError:
        return []


def _read(found: FoundFile, delimiter: str) -> pa.Table:
    with found.open() as source:
        magic = bytes(source.read(6))
        source.seek(0)
        if magic.startswith(b"PAR1"):
            return pq.read_table(source)
        if magic.startswith(b"ARROW1"):
            return pa.ipc.open_file(source).read_all()
    return _read_text(found, delimiter)


def _read_text(found: FoundFile, delimiter: str) -> pa.Table:
    with _lines(found) as source:
        header = source.read(1 << 16).split(b"\n", 1)[0].decode("utf-8-sig").rstrip("\r")
    if delimiter not in header and found.path.lower().endswith(_COMMA):
        delimiter = ","
    names = header.split(delimiter)
    strings = csv.ConvertOptions(
        column_types={name: pa.string() for name in names},
        strings_can_be_null=True,
        null_values=[""],
        quoted_strings_can_be_null=True,
    )
    parsing = csv.ParseOptions(delimiter=delimiter, quote_char=False)
    reading = csv.ReadOptions(column_names=names, skip_rows=1)
    with _lines(found) as source:
        return csv.read_csv(source, reading, parsing, strings)


def _lines(found: FoundFile) -> Any:
    packed = compression_of(found.path)
    source = found.open()
    return source if packed is None else pa.CompressedInputStream(source, packed)


def _plain_names(names: Sequence[str]) -> list[str]:
    return [name.partition(":")[0] for name in names]
