"""Values of rows that lie one after the other, and combinations of those of two columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.values import arrow_types
from raymon.data.values.arrow_types import as_float64, is_list, is_string
from raymon.data.values.row_values import flat_values

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """The values of all rows, one row after the other.

    Attributes:
        values: Values `[N]`, none of them null.
        lengths: Number of values of each row, int64 `[B]`.
    """

    values: pa.Array
    lengths: Ints

    @property
    def starts(self) -> Ints:
        """The index of the first value of each row, int64 `[B]`."""
        return starts_of(self.lengths)

    @property
    def rows(self) -> Ints:
        """The row of each value, int64 `[N]`."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


def starts_of(lengths: Ints) -> Ints:
    """Returns the index at which each row begins, int64 `[B]`."""
    return np.cumsum(lengths) - lengths


def value_rows(column: pa.Array, separator: str | None) -> Rows:
    """Returns the values of a column that become ids or keys, in canonical form.

    Args:
        column: Scalars or lists `[B]`.
        separator: Text between the values of one string; None if a string is one value.

    Raises:
        ValueError: A value has no certain form; the message quotes it.
    """
    values, lengths = flat_values(column, separator)
    return Rows(values, np.ones(len(column), np.int64) if lengths is None else lengths)


def number_rows(column: pa.Array, separator: str) -> tuple[Floats, Ints]:
    """Returns the numbers of all rows, float64 `[N]`, and how many each row has, int64 `[B]`.

    Args:
        column: Numbers, lists of them, or strings that spell them, `[B]`.
        separator: Text between the numbers of one string.

    Raises:
        ValueError: A string spells no number; the message quotes it.
    """
    if is_string(column.type) and pc.any(pc.match_substring(column, separator)).as_py():
        column = pc.split_pattern(column, separator)
    if not is_list(column.type):
        valid = column.is_valid()
        if is_string(column.type):
            valid = pc.and_kleene(valid, pc.not_equal(column, "")).fill_null(False)
        lengths = valid.to_numpy(zero_copy_only=False).astype(np.int64)
        whole = len(column) == int(lengths.sum())
        return parsed_floats(column if whole else column.filter(valid)), lengths
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    values = arrow_types.as_array(column.flatten())
    if is_string(values.type):
        kept = pc.and_kleene(values.is_valid(), pc.not_equal(values, "")).fill_null(False)
        mask = kept.to_numpy(zero_copy_only=False)
        if not mask.all():
            rows = np.repeat(np.arange(len(column)), lengths)[mask]
            lengths = np.bincount(rows, minlength=len(column))
            values = values.filter(kept)
    return parsed_floats(values), lengths.astype(np.int64)


def parsed_floats(values: pa.Array) -> Floats:
    """Returns numbers, or those that strings spell, none of them null: float64 `[N]`.

    Raises:
        ValueError: A string spells no number; the message quotes it.
    """
    if not is_string(values.type):
        return as_float64(values)
    trimmed = pc.utf8_trim_whitespace(values)
    try:
        return as_float64(trimmed)
    except pa.ArrowInvalid:
        index = first_no_number(trimmed)
        raise ValueError(f"{values[index].as_py()!r} is no number") from None


def first_no_number(texts: pa.Array) -> int:
    """Returns the index of the first text that spells no number; there must be one."""
    low, high = 0, len(texts)
    # Between `low` and `high` there is one: half of them is tried.
    while high - low > 1:
        middle = (low + high) // 2
        try:
            as_float64(texts.slice(low, middle - low))
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low


def pairs_of_rows(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Returns all pairs of a value of one column and a value of another in the same row.

    Args:
        first: Number of values of each row in the one, int64 `[B]`.
        second: Number of values of each row in the other, int64 `[B]`.

    Returns:
        The index of each pair's value in the one, and in the other, int64 `[P]` each; pairs are in
        the order of the first, and of equal ones in the order of the second.
    """
    if len(first) and (first == 1).all():
        return np.repeat(np.arange(len(first)), second), np.arange(int(second.sum()))
    of_value = np.repeat(second, first)
    ones = np.repeat(np.arange(len(of_value)), of_value)
    begins = np.repeat(starts_of(second), first)
    within = np.arange(len(ones)) - np.repeat(starts_of(of_value), of_value)
    return ones, np.repeat(begins, of_value) + within


def lists_of(values: pa.Array, lengths: Ints) -> pa.Array:
    """Returns the values of rows as one column of lists."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return pa.LargeListArray.from_arrays(pa.array(ends), values)


def scalars_of(values: pa.Array, lengths: Ints) -> pa.Array:
    """Returns the only value of each row, null where a row has none."""
    has = lengths > 0
    if has.all():
        return values
    places = np.where(has, starts_of(lengths), 0)
    return values.take(pa.array(places, mask=~has))
