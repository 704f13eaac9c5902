"""CSV files, plain or compressed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.files.csv_head import CsvHead, read_head
from raymon.data.files.csv_rows import LineParser, WrongLine, runs
from raymon.data.files.data_file import DataFile
from raymon.data.files.found_file import FoundFile
from raymon.errors import DataError

_log = logging.getLogger("raymon")

ROW_GROUP = 1 << 15
"""Rows that are read together."""

_LOOK = 1 << 22
_TRIED = 1 << 20
_BLOCK = 1 << 22
_LONGEST_LINE = 1 << 26
_COMPRESSED = {"gzip": b"\x1f\x8b", "bz2": b"BZh", "zstd": b"\x28\xb5\x2f\xfd"}
_ENDINGS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""The compression of a file, by its ending."""


def compression_of(name: str) -> str | None:
    """Returns the compression of a file, by the ending of its name; None if it has none."""
    endings = (kind for ending, kind in _ENDINGS.items() if name.lower().endswith(ending))
    return next(endings, None)


@dataclass(frozen=True)
class CsvFormat:
    """The format of the lines of a CSV file.

    Attributes:
        delimiter: Text between the values of a line.
        with_header: Whether the first line has the names of the columns.
        types: Types of columns; for a file without a header all columns, in their order. None
            stands for the type in `needed`.
        needed: Types of columns by their use; any other column is of strings.
        skip_bad_rows: Whether lines that are no rows are left out.
    """

    delimiter: str = ","
    with_header: bool = False
    types: Mapping[str, pa.DataType | None] = field(default_factory=dict)
    needed: Mapping[str, pa.DataType] = field(default_factory=dict)
    skip_bad_rows: bool = False


class CsvFile(DataFile):
    """A CSV file: one row a line, no line breaks in values, an empty value is null.

    The format says neither how many rows there are nor where one begins, so the whole file is read
    to find its lines when it is opened. To continue within a compressed file, everything before is
    read again.

    Attributes:
        is_empty: Whether it has no line, not even a header.

    Raises:
        DataError, pyarrow.ArrowException, OSError: It cannot be read as a CSV file.
    """

    def __init__(self, found: FoundFile, form: CsvFormat) -> None:
        self.found = found
        self._skips = form.skip_bad_rows
        self._compression = self._find_compression()
        with self._open() as source:
            text = source.read(_LOOK)
        try:
            head = read_head(
                text,
                tuple(form.types),
                form.delimiter,
                with_header=form.with_header,
                is_whole=len(text) < _LOOK,
            )
        except DataError as error:
            raise DataError(f"{found.path}: is not a CSV file: {error}") from None
        self.is_empty = not head.names
        self._parser = LineParser(head.names, form.delimiter)
        schema = pa.schema(
            [(n, form.types.get(n) or form.needed.get(n) or pa.string()) for n in head.names]
        )
        self._index(head)
        super().__init__(found, schema, self._rows)
        self._check_first_rows(text[head.first : head.first + _TRIED], head, form)

    def _fetch(self, row_group: int, columns: Sequence[str]) -> Any:
        begin, end = self._begins[row_group : row_group + 2]
        with self._open() as source:
            self._skip(source, begin)
            return source.read(end - begin)

    def _read(
        self,
        fetched: Any,
        row_group: int,
        start: int,
        stop: int,
        columns: Sequence[str],
        categorical: Sequence[str],
        chunk_rows: int,
    ) -> Iterator[tuple[int, pa.Table]]:
        text = fetched
        types = {name: self.schema.field(name).type for name in columns}
        types.update({name: pa.dictionary(pa.int32(), types[name]) for name in categorical})
        rows = self.row_group_rows[row_group]
        table = self._parser.parse(text, rows, types)
        if table is not None:
            yield start, table.slice(start, stop - start)
            return
        found = self._parser.parse_with_errors(text, rows, types)
        if found.wrong:
            self._leave_out(found.wrong, self._lines[row_group])
        for place, first, last in runs(found.places):
            low, high = max(place, start), min(place + last - first, stop)
            if low < high:
                yield low, found.table.slice(first + low - place, high - low)

    def _leave_out(self, wrong: Sequence[WrongLine], first_line: int) -> None:
        where = f"{self.path}: line {first_line + wrong[0].line + 1}: {wrong[0].why}"
        if not self._skips:
            raise DataError(f"{where}; data_config.on_bad_file: SKIP leaves such rows out")
        more = f", and {len(wrong) - 1} lines behind it that are no rows" if len(wrong) > 1 else ""
        _log.warning("%s%s; left out", where, more)

    def _check_first_rows(self, text: bytes, head: CsvHead, form: CsvFormat) -> None:
        """Reads the first rows, so that an error in every row is reported at once."""
        is_cut = self._begins[-1] > head.first + len(text)
        whole = text[: text.rfind(b"\n") + 1] if is_cut else text
        lines = len(_line_ends(whole)[0]) + bool(whole.rpartition(b"\n")[2].strip(b"\r"))
        names = self.schema.names
        wanted = [name for name in names if name in form.needed or form.types.get(name)]
        wanted = wanted or names[:1]
        if not lines or any(names.count(name) > 1 for name in wanted):
            return
        types = {name: self.schema.field(name).type for name in wanted}
        if self._parser.parse(whole, lines, types) is None:
            found = self._parser.parse_with_errors(whole, lines, types)
            if found.wrong and not (self._skips and len(found.table)):
                self._leave_out(found.wrong, head.lines)
                raise DataError(f"{self.path}: none of its first {lines} lines is a row")

    def _index(self, head: CsvHead) -> None:
        """Finds where row groups begin, in bytes and in lines, and how many rows each has."""
        self._begins, self._lines, self._rows = [head.first], [head.lines], list[int]()
        position, lines, rest, counted = head.first, head.lines, b"", 0
        with self._open() as source:
            self._skip(source, head.first)
            while block := source.read(_BLOCK):
                text = rest + block
                ends, numbers = _line_ends(text)
                while counted + len(ends) >= ROW_GROUP:
                    used = ROW_GROUP - counted
                    self._begins.append(position + int(ends[used - 1]))
                    self._lines.append(lines + int(numbers[used - 1]))
                    self._rows.append(ROW_GROUP)
                    ends, numbers, counted = ends[used:], numbers[used:], 0
                counted += len(ends)
                whole = text.rfind(b"\n") + 1
                lines += text.count(b"\n")
                position, rest = position + whole, text[whole:]
                if len(rest) > _LONGEST_LINE:
                    raise DataError(
                        f"{self.found.path}: line {lines + 1} is longer than "
                        f"{_LONGEST_LINE >> 20} MiB; is it a CSV file?"
                    )
        counted += bool(rest.strip(b"\r"))
        if counted:
            self._rows.append(counted)
            self._begins.append(position + len(rest))

    def _find_compression(self) -> str | None:
        with self.found.open() as source:
            begin = source.read(4)
        for kind, magic in _COMPRESSED.items():
            if begin.startswith(magic):
                return kind
        promised = compression_of(self.found.path)
        if begin and promised is not None:
            raise DataError(
                f"{self.found.path}: is not a CSV file: it ends in "
                f"{Path(self.found.path).suffix} and is not compressed by {promised}"
            )
        return None

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
            read = len(source.read(min(count, _BLOCK)))
            if not read:
                raise EOFError("it is shorter than it was")
            count -= read


def _line_ends(text: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Finds the ends of the lines that are not empty.

    Returns:
        The index after the line break of each of them, and the number of lines up to there,
        including empty ones.
    """
    array = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(array == ord("\n"))
    if len(ends) == 0:
        return ends, ends
    begins = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - begins
    kept = ~((lengths == 0) | ((lengths == 1) & (array[begins] == ord("\r"))))
    return ends[kept] + 1, np.flatnonzero(kept) + 1
