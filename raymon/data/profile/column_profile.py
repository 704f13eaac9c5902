"""What the values of a column are like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.profile.cardinality import Cardinality, estimate
from raymon.data.profile.numbers import NumberProfile, profile_numbers
from raymon.data.profile.separators import find_separator
from raymon.data.values.arrow_types import (
    as_array,
    as_float64,
    is_list,
    is_number,
    is_string,
    is_time,
    value_type,
)

_COMMON = 1000


class ValueKind(StrEnum):
    """The kind of the values of a column."""

    NUMBER = "numbers"
    TEXT = "strings"
    TIME = "dates or times"
    NOTHING = "nothing"
    OTHER = "other values"


@dataclass(frozen=True)
class ColumnProfile:
    """What the values of a column are like, in a sample of the rows.

    Attributes:
        name: Name of the column.
        kind: Kind of the values.
        rows: Rows of the sample.
        nulls: Rows without a value.
        cardinality: Number of different values; in lists and strings with a separator, of those.
        common: Most common values as texts, and how often the sample has each, the most common
            first.
        separator: Text between several values in one string; None if there is none.
        lengths: Least and largest number of values in a list; None if there are no lists.
        numbers: Statistics of numbers; None if there are none.
    """

    name: str
    kind: ValueKind
    rows: int
    nulls: int
    cardinality: Cardinality
    common: tuple[tuple[str, int], ...] = ()
    separator: str | None = None
    lengths: tuple[int, int] | None = None
    numbers: NumberProfile | None = None

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same value, or none has one."""
        return self.cardinality.seen == 0 or (self.cardinality.seen == 1 and not self.nulls)


def profile_column(name: str, column: pa.ChunkedArray, total_rows: int) -> ColumnProfile:
    """Returns what the values of a column are like.

    Args:
        name: Name of the column.
        column: Values of the sample.
        total_rows: Rows of the whole table.
    """
    array, rows, nulls = as_array(column), len(column), column.null_count
    lengths = None
    if is_list(array.type):
        counts = pc.list_value_length(array)
        lengths = (pc.min(counts).as_py() or 0, pc.max(counts).as_py() or 0)
        array = as_array(pc.list_flatten(array))
    kind = _kind(array.type)
    if kind is ValueKind.OTHER or is_list(array.type):
        return ColumnProfile(name, ValueKind.OTHER, rows, nulls, Cardinality(0, 0, 0))
    if kind is ValueKind.NOTHING or nulls == rows:
        return ColumnProfile(name, ValueKind.NOTHING, rows, rows, Cardinality(0, 0, 0))
    found = pc.value_counts(array.drop_null())
    values, counts = found.field("values"), found.field("counts").to_numpy()
    separator = None
    if kind is ValueKind.TEXT and lengths is None:
        separator = find_separator(values.to_pylist(), counts.tolist())
        if separator is not None:
            parts = pc.list_flatten(pc.split_pattern(array.drop_null(), separator))
            found = pc.value_counts(parts)
            values, counts = found.field("values"), found.field("counts").to_numpy()
    total = round(int(counts.sum()) / rows * total_rows)
    order = np.argsort(-counts, kind="stable")[:_COMMON]
    common = zip(map(_text, values.take(order).to_pylist()), counts[order].tolist(), strict=True)
    numbers = profile_numbers(as_float64(array)) if kind is not ValueKind.TEXT else None
    cardinality = estimate(counts, total)
    return ColumnProfile(
        name, kind, rows, nulls, cardinality, tuple(common), separator, lengths, numbers
    )


def _kind(column_type: pa.DataType) -> ValueKind:
    if pa.types.is_null(column_type):
        return ValueKind.NOTHING
    if is_time(value_type(column_type)):
        return ValueKind.TIME
    if is_number(column_type):
        return ValueKind.NUMBER
    return ValueKind.TEXT if is_string(column_type) else ValueKind.OTHER


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
