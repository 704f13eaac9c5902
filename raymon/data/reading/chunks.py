"""Decodes row ranges to tensors, piece by piece."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from raymon.data.input_counts import InputCounts
from raymon.data.input_seconds import InputSeconds
from raymon.data.reading.converter import Columns, Converter, Origin
from raymon.data.reading.order import RowRange
from raymon.data.reading.packed_rows import PackedRows, join_rows
from raymon.errors import DataError
from raymon.results import INPUT_FEATURES, ROWS_UNREADABLE

_log = logging.getLogger("raymon")

CHUNK_ROWS = 1 << 15
"""Rows that are decoded and converted together, so that calls cost little and memory is bounded."""


Tables = Sequence[tuple[int, pa.Table]]
"""Rows of a row group, each table with the index in the row group at which it begins."""


@dataclass(frozen=True)
class Piece:
    """Rows of a row group.

    Attributes:
        part: Row range that holds the rows.
        begin: Index in the row group of the first row.
        stop: Index in the row group after the last row.
        tables: The rows, or a function that reads them; None if they cannot be read.
    """

    part: RowRange
    begin: int
    stop: int
    tables: Tables | Callable[[], Tables] | None


@dataclass(frozen=True)
class Converted:
    """Converted rows, and the error of the row after them, if there is one."""

    rows: PackedRows
    error: DataError | None = None


class ChunkReader:
    """Decodes row ranges, checks their values, and makes the tensors of a batch of them.

    Args:
        columns: Columns that are read.
        skip_bad_files: Whether rows that cannot be read are left out and counted.
        seconds: Seconds of reading, shared with other readers; None for its own.

    Attributes:
        counts: Counts of what was wrong but did not stop the run.
    """

    def __init__(
        self,
        columns: Columns,
        skip_bad_files: bool = False,
        seconds: InputSeconds | None = None,
    ) -> None:
        self.counts = InputCounts(seconds)
        self._names = columns.names
        self._categorical = columns.categorical
        self._converter = Converter(columns, self.counts)
        self._skip_bad_files = skip_bad_files

    def pieces(self, ranges: Iterable[RowRange]) -> Iterator[Piece]:
        """Yields the rows of some ranges, in pieces of at most twice `CHUNK_ROWS`.

        A row group that is no larger than that is read later, in `convert`, so that several are
        read in parallel.

        Raises:
            DataError: A file cannot be read.
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
        """Returns the rows of a piece up to the first that is wrong. Any thread may call it.

        Raises:
            DataError: The file cannot be read.
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
                converted = self._convert_up_to_error(part, begin, table)
                rows.append(converted.rows)
                done = begin + len(table)
                if converted.error is not None:
                    return Converted(join_rows(rows), converted.error)
        return Converted(join_rows(rows))

    def _convert_up_to_error(self, part: RowRange, begin: int, table: pa.Table) -> Converted:
        """Returns the rows of a table up to the first that is wrong."""
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
        """Returns the tensors of no rows.

        Args:
            part: Row range of a file with the columns.
        """
        schema = pa.schema([part.file.schema.field(name) for name in self._names])
        return self._convert(part, 0, schema.empty_table())

    def _convert(self, part: RowRange, begin: int, table: pa.Table) -> PackedRows:
        origin = Origin(part.file.path, part.first_row + begin, part.row_group)
        with self.counts.seconds.timed(INPUT_FEATURES):
            return self._converter.convert(table, origin)

    def _read(self, part: RowRange) -> Iterator[tuple[int, pa.Table]]:
        return part.file.read(
            part.row_group,
            part.start,
            part.stop,
            self._names,
            self._categorical,
            CHUNK_ROWS,
            self.counts.seconds,
        )

    def _whole(self, part: RowRange) -> Tables:
        whole: list[tuple[int, pa.Table]] = []
        for begin, table in self._read(part):
            if whole and whole[-1][0] + len(whole[-1][1]) == begin:
                # In one piece, because each piece repeats the work for all entries of dictionaries.
                begin, table = whole[-1][0], pa.concat_tables([whole.pop()[1], table])
            whole.append((begin, table))
        return whole

    def _leave_out(self, part: RowRange, done: int, error: DataError) -> None:
        """Counts what is left of a row range from row `done` on, if it may be left out.

        Raises:
            DataError: The rows may not be left out.
        """
        if not self._skip_bad_files:
            raise error
        _log.warning("%s; %s rows are left out", error, part.stop - done)
        self.counts.add(ROWS_UNREADABLE, part.stop - done)
