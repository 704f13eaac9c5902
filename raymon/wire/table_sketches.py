"""What was looked up in embedding tables, as sketches of a fixed size that merge in any order.

Over ranks, bits of touched rows are merged by or, lookups are added up, and of the norms that are
sampled at one place the largest number wins. All of it is commutative and associative on integers,
so that a window is the same for any number of ranks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from raymon.protos.report_pb2 import TableCounts
from raymon.protos.report_pb2 import TableSketches as TableSketchesMessage
from raymon.wire.layout import Counts
from raymon.wire.table_layout import TableLayout, length

Named = Counter[tuple[str, str]]
"""Integers by table and name."""

OCCUPIED_ROWS = "occupied_rows"
"""Name of the count of rows that belong to an id, of a table that grows."""

_LOW_BITS = 16
_LOW = (1 << _LOW_BITS) - 1
_MOST_HIGH = 1 << (62 - _LOW_BITS)


@dataclass
class TableSketches:
    """What some ranks looked up in their tables in some steps.

    Attributes:
        layout: Places of the tables in the arrays.
        lookups: Lookups of each table, int64 `[T]` of T tables.
        touched: Bits of the rows that were looked up, uint8.
        bucket_lookups: Lookups of each bucket of rows, int64.
        row_norms: Norms of sampled rows, each below the priority of its row, uint64; 0 if there is
            none.
        incomplete: Whether lookups are missing, so that only further counts are of use.
        counts: Further counts, added up over ranks and steps.
        levels: Further counts as of the last step, added up over ranks.
    """

    layout: TableLayout
    lookups: Counts
    touched: NDArray[np.uint8]
    bucket_lookups: Counts
    row_norms: NDArray[np.uint64]
    incomplete: bool = False
    counts: Named = field(default_factory=Counter)
    levels: Named = field(default_factory=Counter)

    @classmethod
    def empty(cls, layout: TableLayout) -> TableSketches:
        """Returns the sketches of no lookups."""
        return cls(
            layout,
            np.zeros(len(layout.tables), np.int64),
            np.zeros(length(layout.touched), np.uint8),
            np.zeros(length(layout.buckets), np.int64),
            np.zeros(length(layout.row_norms), np.uint64),
        )

    @classmethod
    def from_message(cls, message: TableSketchesMessage) -> TableSketches:
        """Returns the sketches of a message, which `check_tables` has accepted."""
        sketches = cls.empty(TableLayout.from_data(message.layout))
        sketches.add(message)
        return sketches

    def add(self, message: TableSketchesMessage) -> None:
        """Adds what other ranks looked up in the same steps, in the same tables."""
        self.lookups += np.array(message.lookups, np.int64)
        np.bitwise_or(self.touched, np.frombuffer(message.touched, "u1"), out=self.touched)
        self.bucket_lookups += np.frombuffer(message.bucket_lookups, "<u2")
        if message.large_positions:
            high = np.frombuffer(message.large_lookups, "<u8").astype(np.int64)
            self.bucket_lookups[_positions(message)] += high << _LOW_BITS
        if message.row_norms:
            norms = np.frombuffer(message.row_norms, "<u8")
            np.maximum(self.row_norms, norms, out=self.row_norms)
        self.incomplete = self.incomplete or message.incomplete
        for part in message.counts:
            self.counts.update({(part.table, name): n for name, n in part.counts.items()})
            self.levels.update({(part.table, name): n for name, n in part.levels.items()})

    def add_steps(self, other: TableSketches) -> None:
        """Adds what was looked up in the steps that follow, in the same tables."""
        self.lookups += other.lookups
        self.touched |= other.touched
        self.bucket_lookups += other.bucket_lookups
        if other.row_norms.any():
            # Rows change from step to step: norms are those of the last step that has any.
            self.row_norms = other.row_norms.copy()
        self.incomplete = self.incomplete or other.incomplete
        self.counts.update(other.counts)
        if other.levels:
            self.levels = Counter(other.levels)

    def copy(self) -> TableSketches:
        """Returns a copy that can be added to."""
        twin = TableSketches.empty(self.layout)
        twin.add_steps(self)
        return twin

    def to_message(self) -> TableSketchesMessage:
        """Returns the message that `from_message` reads."""
        (large,) = np.nonzero(self.bucket_lookups > _LOW)
        high = self.bucket_lookups[large] >> _LOW_BITS
        norms = self.row_norms.astype("<u8").tobytes() if self.row_norms.any() else b""
        return TableSketchesMessage(
            layout=self.layout.data,
            lookups=self.lookups.tolist(),
            touched=self.touched.tobytes(),
            bucket_lookups=(self.bucket_lookups & _LOW).astype("<u2").tobytes(),
            large_positions=large.astype("<u4").tobytes(),
            large_lookups=high.astype("<u8").tobytes(),
            row_norms=norms,
            incomplete=self.incomplete,
            counts=_named(self.counts, self.levels),
        )


def check_tables(message: TableSketchesMessage) -> None:
    """Checks that a message can be added to the sketches of its layout.

    Raises:
        DecodeError: Its layout is none.
        ValueError: Something else in it cannot be.
    """
    layout = TableLayout.from_data(message.layout)
    norms = length(layout.row_norms) * 8
    sizes = {
        "lookups": (len(message.lookups), [len(layout.tables)]),
        "touched": (len(message.touched), [length(layout.touched)]),
        "bucket_lookups": (len(message.bucket_lookups), [length(layout.buckets) * 2]),
        "large_lookups": (len(message.large_lookups), [2 * len(message.large_positions)]),
        "row_norms": (len(message.row_norms), [0, norms]),
    }
    for name, (size, right) in sizes.items():
        if size not in right:
            raise ValueError(f"tables: {name} of {size}, not {right[-1]}")
    if max(message.lookups, default=0) >= 1 << 62:
        raise ValueError("tables: more lookups than can be counted")
    if not message.large_positions:
        return
    if len(message.large_positions) % 4:
        raise ValueError("tables: a part of a position")
    positions = _positions(message)
    if np.any(np.diff(positions) <= 0) or positions[-1] >= length(layout.buckets):
        raise ValueError("tables: a bucket that is not there, or is there twice")
    if np.frombuffer(message.large_lookups, "<u8").max() >= _MOST_HIGH:
        raise ValueError("tables: more lookups than can be counted")


def _positions(message: TableSketchesMessage) -> NDArray[np.int64]:
    return np.frombuffer(message.large_positions, "<u4").astype(np.int64)


def _named(
    counts: Mapping[tuple[str, str], int], levels: Mapping[tuple[str, str], int]
) -> Iterable[TableCounts]:
    messages: dict[str, TableCounts] = {}
    for (table, name), number in sorted(counts.items()):
        messages.setdefault(table, TableCounts(table=table)).counts[name] = number
    for (table, name), number in sorted(levels.items()):
        messages.setdefault(table, TableCounts(table=table)).levels[name] = number
    return messages.values()
