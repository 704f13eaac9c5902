"""A file of rows, of any format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from raymon.data.files.found_file import FoundFile
from raymon.data.input_seconds import InputSeconds
from raymon.errors import DataError, first_line
from raymon.results import INPUT_DECODING, INPUT_STORAGE


@dataclass(frozen=True)
class ColumnStatistics:
    """What is known of the values of a column in a row group without reading them.

    Attributes:
        row_group: Index of the row group in the file.
        nulls: Number of nulls; None if unknown.
        least: Least value; None if unknown.
        most: Largest value; None if unknown.
    """

    row_group: int
    nulls: int | None
    least: Any
    most: Any


class DataFile(ABC):
    """A file of rows in row groups, of which one is read at a time.

    Args:
        found: File to read.
        schema: `pyarrow.Schema` of its columns.
        row_group_rows: Rows of each row group.
    """

    def __init__(self, found: FoundFile, schema: pa.Schema, row_group_rows: Sequence[int]) -> None:
        self.found = found
        self._casts: dict[str, pa.DataType] = {}
        self.schema = schema
        self.row_group_rows = tuple(row_group_rows)
        for column in schema:
            if pa.types.is_string_view(column.type) or pa.types.is_binary(column.type):
                # Old writers of Parquet do not distinguish strings from bytes.
                self.read_as(column.name, pa.string())
            elif pa.types.is_large_binary(column.type) or pa.types.is_binary_view(column.type):
                self.read_as(column.name, pa.large_string())

    @property
    def path(self) -> str:
        """The path, as a user would write it."""
        return self.found.path

    @property
    def rows(self) -> int:
        """The number of rows of the file."""
        return sum(self.row_group_rows)

    def read_as(self, column: str, column_type: pa.DataType) -> None:
        """Reads a column as another type, to which its own can be cast."""
        index = self.schema.get_field_index(column)
        if index >= 0:
            self.schema = self.schema.set(index, pa.field(column, column_type))
            self._casts[column] = column_type

    def statistics(self, column: str) -> Iterator[ColumnStatistics]:
        """Yields what is known of a column, by row group."""
        return iter(())

    def read(
        self,
        row_group: int,
        start: int,
        stop: int,
        columns: Sequence[str],
        categorical: Sequence[str],
        chunk_rows: int,
        seconds: InputSeconds | None = None,
    ) -> Iterator[tuple[int, pa.Table]]:
        """Yields rows [start, stop) of a row group, in pieces of at most twice `chunk_rows`.

        Args:
            row_group: Index of the row group in the file.
            start: First row, from the beginning of the row group.
            stop: Row after the last one, from the beginning of the row group.
            columns: Columns that are read.
            categorical: Columns whose strings are returned as a dictionary and indices into it.
            chunk_rows: Rows of a piece; a larger row group need not be whole in memory.
            seconds: Seconds of reading by part, to which this is added; None for none.

        Returns:
            Each piece, with the row of the row group at which it begins. Rows between pieces cannot
            be read, and may be left out.

        Raises:
            DataError: The file is damaged, or was changed after it was opened.
        """
        try:
            seconds = seconds or InputSeconds()
            with seconds.timed(INPUT_STORAGE):
                self.found.check_unchanged()
                fetched = self._fetch(row_group, columns)
            strings = [name for name in categorical if self._is_string(name)]
            tables = self._read(fetched, row_group, start, stop, columns, strings, chunk_rows)
            waits = fetched is None and not self.found.is_local
            for begin, table in seconds.drawn(INPUT_STORAGE if waits else INPUT_DECODING, tables):
                yield begin, self._cast(table)
        except (pa.ArrowException, OSError, EOFError) as error:
            raise DataError(
                f"{self.path}: row group {row_group} cannot be read: {first_line(error)}"
            ) from error

    def _fetch(self, row_group: int, columns: Sequence[str]) -> Any:
        """Reads what is needed of a row group, undecoded; None if that is read as it is decoded."""
        return None

    @abstractmethod
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
        """Reads an unchanged file, as `read` does; `categorical` has only columns of strings.

        `fetched` is what `_fetch` returned.
        """

    def _cast(self, table: pa.Table) -> pa.Table:
        for name in self._casts.keys() & set(table.column_names):
            index, column = table.schema.get_field_index(name), table[name]
            try:
                table = table.set_column(index, name, column.cast(self._casts[name]))
            except pa.ArrowInvalid as error:
                raise pa.ArrowInvalid(f"column {name}: {first_line(error)}") from None
        return table

    def _is_string(self, column: str) -> bool:
        column_type = self.schema.field(column).type
        if column in self._casts:
            return False
        return bool(pa.types.is_string(column_type) or pa.types.is_large_string(column_type))
