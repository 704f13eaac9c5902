"""Files of predictions: Parquet, CSV or Arrow IPC, by their ending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from raymon.errors import RunError

_PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_CSV = (".csv", ".tsv")
_IPC = (".arrow", ".feather", ".ipc")


class TableWriter(Protocol):
    """What tables are written to."""

    def write_table(self, table: pa.Table) -> None:
        """Writes rows behind those that are there."""


@contextmanager
def table_writer(path: Path, name: str, schema: pa.Schema) -> Iterator[TableWriter]:
    """A file to which tables are written.

    Args:
        path: Of the file.
        name: That it will have; tells the format: Parquet, where the ending is of no other.
        schema: Of all tables.

    Raises:
        RunError: The format cannot hold a column.
    """
    ending, packed = _ending(name)
    if ending in _CSV:
        with _stream(path, packed) as sink:
            options = csv.WriteOptions(delimiter="\t" if ending == ".tsv" else ",")
            with csv.CSVWriter(sink, _flat(schema), write_options=options) as writer:
                yield _Flattening(writer)
    elif ending in _IPC:
        with pa.ipc.new_file(str(path), schema) as writer:
            yield writer
    else:
        with pq.ParquetWriter(path, schema) as writer:
            yield writer


def _ending(name: str) -> tuple[str, str | None]:
    for packing, kind in _PACKED.items():
        inner = name.lower().removesuffix(packing)
        if inner != name.lower() and inner.endswith(_CSV):
            return inner[-4:], kind
    return "." + name.lower().rpartition(".")[2], None


@contextmanager
def _stream(path: Path, packed: str | None) -> Iterator[Any]:
    with pa.OSFile(str(path), "wb") as file:
        if packed is None:
            yield file
        else:
            with pa.CompressedOutputStream(file, packed) as stream:
                yield stream


class _Flattening:
    """Writes several numbers a row as so many columns."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write_table(self, table: pa.Table) -> None:
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
