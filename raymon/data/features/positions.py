"""Splits the rows of a column into positions, and keeps those that a sequence has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.values import arrow_types

Counts = npt.NDArray[np.int64]


def split_rows(column: pa.Array | pa.ChunkedArray, delimiter: str) -> tuple[pa.Array, Counts]:
    """Returns the positions of all rows, one row after the other, and how many each has, `[B]`.

    A null, an empty string and an empty list have none; a single value is one position.
    """
    array = arrow_types.as_array(column)
    if arrow_types.is_string(array.type):
        filled = pc.if_else(pc.equal(array, ""), pa.scalar(None, array.type), array)
        array = pc.split_pattern(filled, pattern=delimiter)
    if not arrow_types.is_list(array.type):
        return array.drop_null(), np.array(array.is_valid()).astype(np.int64)
    lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    return arrow_types.in_one_piece(array.flatten()), lengths.astype(np.int64)


@dataclass(frozen=True)
class Cut:
    """Which positions of rows are kept.

    Attributes:
        given: Positions of each row, before, `[B]`.
        kept: Positions of each row, `[B]`.
        places: Index among all positions of each that is kept, `[P]`; None if all are.
        missing: Which of them are not there, bool `[P]`; None if none is.
    """

    given: Counts
    kept: Counts
    places: Counts | None
    missing: npt.NDArray[np.bool_] | None

    @property
    def offsets(self) -> Counts:
        """Index of the first position of each row, `[B]`."""
        offsets: Counts = self.kept.cumsum() - self.kept
        return offsets

    @property
    def longest(self) -> int:
        """Positions of the row that has the most."""
        return int(self.kept.max(initial=0))

    def of_positions(self, values: pa.Array) -> pa.Array:
        """Returns those of the positions that are kept, nulls for those that are not there."""
        if self.places is None:
            return values
        if len(values) == 0:
            return pa.nulls(len(self.places), values.type)
        return values.take(pa.array(self.places, mask=self.missing))

    def of_rows(self, column: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Returns the value of a row for each of its positions."""
        rows = np.repeat(np.arange(len(self.kept)), self.kept)
        return arrow_types.in_one_piece(column).take(pa.array(rows))


def cut_rows(given: Counts, most: int | None, fills: bool) -> Cut:
    """Returns which positions are kept.

    Args:
        given: Positions of each row, `[B]`.
        most: Positions that are kept, from the first one on; None for all.
        fills: Whether a row without positions gets one, which is not there.
    """
    kept = given if most is None else np.minimum(given, most)
    kept = np.maximum(kept, 1) if fills else kept
    if (kept == given).all():
        return Cut(given, given, None, None)
    first, offsets = given.cumsum() - given, kept.cumsum() - kept
    places = np.repeat(first - offsets, kept) + np.arange(kept.sum())
    missing = np.repeat(given == 0, kept)
    return Cut(given, kept, places, missing if missing.any() else None)


def numbers(texts: pa.Array) -> pa.Array:
    """Returns the numbers that texts spell, float64; null for an empty one.

    Raises:
        pa.ArrowInvalid: One is no number.
    """
    trimmed = pc.utf8_trim_whitespace(arrow_types.as_array(texts))
    there = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
    return there.cast(pa.float64())
