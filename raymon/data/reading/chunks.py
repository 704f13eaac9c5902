"""Row ranges to tensors, a piece at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from raymon.data.input_counts import InputCounts
from raymon.data.reading.converter import Columns, Converter, Origin
from raymon.data.reading.order import RowRange
from raymon.data.reading.packed_rows import PackedRows, join_rows
from raymon.errors import DataError
from raymon.results import ROWS_UNREADABLE

_log = logging.getLogger("raymon")

CHUNK_ROWS = 1 << 15
"""Rows that are decoded and converted together, so that calls cost little and memory is bounded."""


Tables = Sequence[tuple[int, pa.Table]]
"""Rows of a row group, and where in it they begin."""


@dataclass(frozen=True)
class Piece:
    """Rows of a row group.

    Attributes:
        part: that they are of.
        begin, stop: where in the row group they begin and end.
        tables: the rows, or how to read them; None: they cannot be read.
    """

    part: RowRange
    begin: int
    stop: int
    tables: Tables | Callable[[], Tables] | None


@dataclass(frozen=True)
class Converted:
    """Rows, and what is wrong with the row behind them, if anything is."""

    rows: PackedRows
    error: DataError | None = None


class ChunkReader:
    """Decodes row ranges, checks what is in them, and makes the tensors of a batch of them.

    Args:
        columns: that are read.
        skip_bad_files: what cannot be read is left out and counted.

    Attributes:
        counts: what was wrong and is only counted.
    """

    def __init__(self, columns: Columns, skip_bad_files: bool = False) -> None:
        self.counts = InputCounts()
        self._names = columns.names
        self._categorical = columns.categorical
        self._converter = Converter(columns, self.counts)
        self._skip_bad_files = skip_bad_files

    def pieces(self, ranges: Iterable[RowRange]) -> Iterator[Piece]:
        """The rows of some ranges, in pieces of at most twice `CHUNK_ROWS`.

        A row group that is no larger is still to be read, so that several are read at a time.

        Raises:
            DataError: a file cannot be read.
        """
        for part in ranges:
            if part.file.row_group_rows[part.row_group] <= 2 * CHUNK_ROWS:
                yield Piece(part, part.start, part.stop, partial(self._whole, part))
                continue
            done = part.start
            try:
                for begin, table in self._read(part):
                    done = begin + len(table)
                    yield Piece(part, begin, done, [(begin, table)])
            except DataError as error:
                self._leave_out(part, done, error)
                yield Piece(part, done, part.stop, None)

    def convert(self, piece: Piece) -> Converted:
        """The rows of a piece up to the first that is wrong. It may be called by any thread.

        Raises:
            DataError: the file cannot be read.
        """
        part, tables = piece.part, piece.tables
        if callable(tables):
            try:
                tables = tables()
            except DataError as error:
                self._leave_out(part, piece.begin, error)
                tables = None
        if tables is None:
            return Converted(self._converter.gap(piece.stop - piece.begin))
        rows, done = [], piece.begin
        for begin, table in [*tables, (piece.stop, None)]:
            if begin > done:
                self.counts.add(ROWS_UNREADABLE, begin - done)
                rows.append(self._converter.gap(begin - done))
            if table is not None:
                converted = self._convert_to_wrong(part, begin, table)
                rows.append(converted.rows)
                done = begin + len(table)
                if converted.error is not None:
                    return Converted(join_rows(rows), converted.error)
        return Converted(join_rows(rows))

    def _convert_to_wrong(self, part: RowRange, begin: int, table: pa.Table) -> Converted:
        """The rows of a table up to the first that is wrong."""
        try:
            return Converted(self._convert(part, begin, table))
        except DataError as error:
            good, bad = 0, len(table)
            while bad - good > 1:
                middle = (good + bad) // 2
                try:
                    self._convert(part, begin, table.slice(0, middle))
                except DataError:
                    bad = middle
                else:
                    good = middle
            return Converted(self._convert(part, begin, table.slice(0, good)), error)

    def empty(self, part: RowRange) -> PackedRows:
        """What there is without rows.

        Args:
            part: of a file with the columns.
        """
        schema = pa.schema([part.file.schema.field(name) for name in self._names])
        return self._convert(part, 0, schema.empty_table())

    def _convert(self, part: RowRange, begin: int, table: pa.Table) -> PackedRows:
        origin = Origin(part.file.path, part.first_row + begin, part.row_group)
        return self._converter.convert(table, origin)

    def _read(self, part: RowRange) -> Iterator[tuple[int, pa.Table]]:
        return part.file.read(
            part.row_group, part.start, part.stop, self._names, self._categorical, CHUNK_ROWS
        )

    def _whole(self, part: RowRange) -> Tables:
        whole: list[tuple[int, pa.Table]] = []
        for begin, table in self._read(part):
            if whole and whole[-1][0] + len(whole[-1][1]) == begin:
                # In one piece, as the work that is done once for each entry of its dictionaries.
                begin, table = whole[-1][0], pa.concat_tables([whole.pop()[1], table])
            whole.append((begin, table))
        return whole

    def _leave_out(self, part: RowRange, done: int, error: DataError) -> None:
        """Counts what is left of a part behind its first `done` rows, where it may be left out."""
        if not self._skip_bad_files:
            raise error
        _log.warning("%s; %s rows are left out", error, part.stop - done)
        self.counts.add(ROWS_UNREADABLE, part.stop - done)
