"""The embedding tables whose lookups are counted, and the places of their sketches in arrays.

The arrays of all tables follow each other, as one operation on all of them costs a reporter of
thousands of ranks less than a loop over tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from raymon.protos.report_pb2 import TableLayout as TableLayoutMessage
from raymon.protos.report_pb2 import TableSpec as TableSpecMessage

EXACT_ROWS = 1 << 15
"""Most rows of a table that has a bit for each of its rows."""

LEVELS, CELLS = 22, 1 << 10
"""Levels of the bits of a larger table, and bits of each level."""

BUCKETS = 1 << 11
"""Most buckets of rows whose lookups are counted."""

SAMPLED_ROWS = 1 << 7
"""Most rows of a table whose norms are in a window."""

_LARGEST = 1 << 63


@dataclass(frozen=True)
class TableSpec:
    """An embedding table whose lookups are counted.

    Attributes:
        name: Name, unique in a model.
        rows: Rows of the table.
        is_hashed: Whether its ids are hashes, so that several ids may share a row.
    """

    name: str
    rows: int
    is_hashed: bool = False

    @property
    def is_exact(self) -> bool:
        """Whether each row has a bit of its own."""
        return self.rows <= EXACT_ROWS

    @property
    def touched_bytes(self) -> int:
        """The bytes of the bits of rows that were looked up."""
        return -(-self.rows // 8) if self.is_exact else LEVELS * CELLS // 8

    @property
    def buckets(self) -> int:
        """The number of buckets of rows whose lookups are counted."""
        return min(self.rows, BUCKETS)

    @property
    def sampled_rows(self) -> int:
        """The largest number of rows whose norms are known."""
        return min(self.rows, SAMPLED_ROWS)


class TableLayout:
    """The tables of a model, in the order in which their sketches follow each other.

    Args:
        tables: The tables.

    Attributes:
        touched: Place of each table in the bytes of touched rows.
        buckets: Place of each table in the lookups of buckets.
        row_norms: Place of each table in the sampled norms.
    """

    def __init__(self, tables: Iterable[TableSpec]) -> None:
        self.tables = tuple(tables)
        self.touched = self._places(lambda table: table.touched_bytes)
        self.buckets = self._places(lambda table: table.buckets)
        self.row_norms = self._places(lambda table: table.sampled_rows)

    @cached_property
    def data(self) -> bytes:
        """The serialised message of the layout, the same for equal layouts."""
        tables = [
            TableSpecMessage(name=table.name, rows=table.rows, is_hashed=table.is_hashed)
            for table in self.tables
        ]
        return TableLayoutMessage(tables=tables).SerializeToString(deterministic=True)

    @staticmethod
    @lru_cache(maxsize=64)
    def from_data(data: bytes) -> TableLayout:
        """Returns the layout whose `data` this is.

        Raises:
            DecodeError: It is no layout.
            ValueError: Two tables have one name, or one has no rows.
        """
        tables = [
            TableSpec(message.name, message.rows, message.is_hashed)
            for message in TableLayoutMessage.FromString(data).tables
        ]
        if len({table.name for table in tables}) < len(tables):
            raise ValueError("two tables of one name")
        for table in tables:
            if not 0 < table.rows < _LARGEST:
                raise ValueError(f"table {table.name} of {table.rows} rows")
        return TableLayout(tables)

    def _places(self, size: Callable[[TableSpec], int]) -> Sequence[slice]:
        places, begin = [], 0
        for table in self.tables:
            places.append(slice(begin, begin + size(table)))
            begin += size(table)
        return tuple(places)


def length(places: Sequence[slice]) -> int:
    """Returns the length of the array that has the places of all tables."""
    return int(places[-1].stop) if places else 0
