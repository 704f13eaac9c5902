"""CSV files, plain or compressed."""

from __future__ import annotations

import csv as csv_lines
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from raymon.data.data_file import DataFile
from raymon.data.found_file import FoundFile

ROW_GROUP = 1 << 15
"""Rows that are read together."""

_LOOK = 1 << 22
_BLOCK = 1 << 22
_COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}


@dataclass(frozen=True)
class CsvFormat:
    """How lines are columns.

    Attributes:
        delimiter: between the values of a line.
        with_header: the first line has the names of the columns.
        types: of columns; of a file without a header all of them, in their order. What is None or
            not there is guessed from the first 4 MiB of each file.
    """

    delimiter: str = ","
    with_header: bool = False
    types: Mapping[str, pa.DataType | None] = field(default_factory=dict)


class CsvFile(DataFile):
    """A CSV file: a line a row, values without line breaks in them, an empty value is null.

    The format tells neither how many rows there are nor where one begins, so the whole file is read
    for its lines when it is opened. To go on in a compressed file all that is before is read again.

    Raises:
        pyarrow.ArrowException, OSError: it cannot be read as one.
    """

    def __init__(self, found: FoundFile, form: CsvFormat) -> None:
        self.found = found
        self._form = form
        self._compression = next(
            (kind for ending, kind in _COMPRESSED.items() if found.path.endswith(ending)), None
        )
        first, self._names, schema = self._look()
        self._begins, rows = self._index(first)
        super().__init__(found, schema, rows)

    def _read(
        self,
        row_group: int,
        start: int,
        stop: int,
        columns: Sequence[str],
        categorical: Sequence[str],
        chunk_rows: int,
    ) -> Iterator[tuple[int, pa.Table]]:
        begin, end = self._begins[row_group : row_group + 2]
        with self._open() as source:
            self._skip(source, begin)
            text = source.read(end - begin)
        types = {name: self.schema.field(name).type for name in columns}
        types.update({name: pa.dictionary(pa.int32(), types[name]) for name in categorical})
        table = self._parse(text, columns, types)
        rows = self.row_group_rows[row_group]
        if len(table) != rows:
            raise pa.ArrowInvalid(
                f"{rows} lines are {len(table)} rows; is a line break in a value?"
            )
        yield start, table.slice(start, stop - start)

    def _parse(
        self, text: bytes, columns: Sequence[str], types: Mapping[str, pa.DataType]
    ) -> pa.Table:
        try:
            return csv.read_csv(
                pa.BufferReader(text),
                csv.ReadOptions(column_names=self._names, block_size=max(len(text), 1)),
                csv.ParseOptions(delimiter=self._form.delimiter),
                csv.ConvertOptions(
                    column_types=dict(types),
                    include_columns=list(columns),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid as error:
            named = re.sub(
                r"In CSV column #(\d+)", lambda m: f"column {self._names[int(m[1])]}", str(error)
            )
            raise pa.ArrowInvalid(named) from None

    def _look(self) -> tuple[int, list[str], pa.Schema]:
        """Where the first row begins, the names of the columns, and their types."""
        with self._open() as source:
            text = source.read(_LOOK)
        whole = text[: text.rfind(b"\n") + 1] or text
        first, names = 0, list(self._form.types)
        if self._form.with_header:
            first = whole.find(b"\n") + 1 or len(whole)
            names = _values(whole[:first], self._form.delimiter)
        self._names = names
        types = {n: kind for n, kind in self._form.types.items() if n in names and kind}
        if not whole[first:].strip():
            return first, names, pa.schema([(n, types.get(n, pa.string())) for n in names])
        found = self._parse(whole[first:], names, types).schema
        # Of a column without a value nobody knows what it will be.
        nulls = {c.name for c in found if pa.types.is_null(c.type)}
        return (
            first,
            names,
            pa.schema([(c.name, pa.string() if c.name in nulls else c.type) for c in found]),
        )

    def _index(self, first: int) -> tuple[list[int], list[int]]:
        """Where row groups begin, and where the last one ends; and how many rows each has."""
        begins, rows, counted = [first], [], 0
        position, rest = first, b""
        with self._open() as source:
            self._skip(source, first)
            while block := source.read(_BLOCK):
                text = rest + block
                ends = _line_ends(text)
                while counted + len(ends) >= ROW_GROUP:
                    used = ROW_GROUP - counted
                    begins.append(position + int(ends[used - 1]))
                    rows.append(ROW_GROUP)
                    ends, counted = ends[used:], 0
                counted += len(ends)
                whole = text.rfind(b"\n") + 1
                position, rest = position + whole, text[whole:]
        if rest.strip(b"\r"):
            counted += 1
        if counted:
            rows.append(counted)
            begins.append(position + len(rest))
        return begins, rows

    @contextmanager
    def _open(self) -> Iterator[Any]:
        with self.found.open() as source:
            if self._compression is None:
                yield source
            else:
                with pa.CompressedInputStream(source, self._compression) as text:
                    yield text

    def _skip(self, source: Any, count: int) -> None:
        if self._compression is None:
            source.seek(count)
            return
        while count:
            count -= len(source.read(min(count, _BLOCK)))


def _values(line: bytes, delimiter: str) -> list[str]:
    text = line.decode("utf-8-sig", errors="replace").strip("\r\n")
    return next(csv_lines.reader([text], delimiter=delimiter), [])


def _line_ends(text: bytes) -> npt.NDArray[np.int64]:
    """Where the lines that are not empty end, each behind its line break."""
    array = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(array == ord("\n"))
    if len(ends) == 0:
        return ends
    begins = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - begins
    empty = (lengths == 0) | ((lengths == 1) & (array[begins] == ord("\r")))
    kept: npt.NDArray[np.int64] = ends[~empty] + 1
    return kept
