"""Files of predictions: Parquet, CSV or Arrow IPC, by their ending."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from raymon.data import FileKind, compression_of, kinds_by_ending
from raymon.errors import RunError

_ENDING = re.compile(r"\.([a-z]+)$", re.IGNORECASE)


class TableWriter(Protocol):
    """A writer of tables."""

    def write_table(self, table: pa.Table) -> None:
        """Appends rows to the file."""


def format_of_output(name: str) -> FileKind:
    """Returns the format of a file of predictions by its ending, Parquet if it has none.

    Raises:
        RunError: The ending is that of a format that is not written.
    """
    kinds = kinds_by_ending(name)
    if kinds:
        return kinds[0]
    ending = _ENDING.search(name)
    if ending is not None:
        raise RunError(
            f"{name}: predictions are not written as {ending[1]}; give a name that ends in "
            ".parquet, .csv, .tsv (also with .gz, .bz2 or .zst) or .arrow"
        )
    return FileKind.PARQUET


@contextmanager
def table_writer(path: Path, name: str, schema: pa.Schema) -> Iterator[TableWriter]:
    """Yields a writer of tables to a file.

    Args:
        path: Path of the file.
        name: Final name of the file, which gives the format, as `format_of_output` says.
        schema: Schema of all tables.

    Raises:
        RunError: The format cannot hold a column.
    """
    kind = format_of_output(name)
    if kind is FileKind.CSV:
        with _stream(path, compression_of(name)) as sink:
            options = csv.WriteOptions(delimiter="\t" if ".tsv" in name.lower()[-8:] else ",")
            with csv.CSVWriter(sink, _flat(schema), write_options=options) as writer:
                yield _Flattening(writer)
    elif kind is FileKind.IPC:
        with pa.ipc.new_file(str(path), schema) as writer:
            yield writer
    else:
        with pq.ParquetWriter(path, schema) as writer:
            yield writer


@contextmanager
def _stream(path: Path, packed: str | None) -> Iterator[Any]:
    with pa.OSFile(str(path), "wb") as file:
        if packed is None:
            yield file
        else:
            with pa.CompressedOutputStream(file, packed) as stream:
                yield stream


class _Flattening:
    """A writer that splits a column of several numbers a row into columns of one number."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write_table(self, table: pa.Table) -> None:
        """Appends rows to the file."""
        arrays: list[Any] = []
        for column in table.columns:
            if pa.types.is_fixed_size_list(column.type):
                flat = column.combine_chunks().flatten()
                size = column.type.list_size
                arrays += [flat[place::size] for place in range(size)]
            else:
                arrays.append(column)
        self._writer.write_table(pa.table(arrays, schema=_flat(table.schema)))


def _flat(schema: pa.Schema) -> pa.Schema:
    fields = []
    for field in schema:
        if pa.types.is_fixed_size_list(field.type):
            kinds = [field.type.value_type] * field.type.list_size
            fields += [(f"{field.name}_{place}", kind) for place, kind in enumerate(kinds)]
        elif pa.types.is_nested(field.type):
            raise RunError(f"--keep {field.name}: is {field.type}, which CSV cannot hold")
        else:
            fields.append((field.name, field.type))
    return pa.schema(fields)
