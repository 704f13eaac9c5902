"""The value of a key in a map of the same row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.operators.combiner import combined
from raymon.data.features.operators.keys import KEY_TYPES, key_rows
from raymon.data.features.operators.maps import MAP_TYPES, Entries, accepts_maps, entries_of
from raymon.data.features.operators.operator import Operator, RowValueError
from raymon.data.features.operators.rows import (
    Floats,
    Ints,
    Rows,
    first_no_number,
    lists_of,
    pairs_of_rows,
    parsed_floats,
)
from raymon.data.features.operators.values import accepts_ids
from raymon.data.values.canonical import canonical_texts
from raymon.data.values.hashing import hash_values

_OF_MAPS = "\x1d"
"""What is between the entries of one string; it is the same in all configs."""


@dataclass(frozen=True)
class Lookup(Operator):
    """The values that the keys of a row have in its map.

    Keys are compared in their canonical form, numbers with a fraction by their texts, by hashes of
    64 bits. A key that the map does not
    have is left out; of an entry that is there twice the first counts.

    Attributes:
        separator: Text between the keys of one string.
        combiner: What becomes of several numbers; None if values are texts.
        with_key: Whether texts are KEY_VALUE.
        only_first: Whether a row has its first value alone.
        numbers: Numbers in one value, above 1 with `inner_separator` between them.
        inner_separator: Text between the numbers of one value.
    """

    separator: str
    combiner: str | None
    with_key: bool = False
    only_first: bool = False
    numbers: int = 1
    inner_separator: str = ","

    @property
    def output_type(self) -> pa.DataType:
        """Numbers if they are combined, else lists of numbers or texts."""
        if self.combiner is None:
            return pa.large_list(pa.large_string())
        listed = self.combiner == "" or self.numbers > 1
        return pa.large_list(pa.float64()) if listed else pa.float64()

    def accepted_types(self, index: int) -> str:
        """Returns the types of maps, or those of keys, in words for a message."""
        return MAP_TYPES if index == 0 else KEY_TYPES

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether the first column has maps, and the second keys."""
        return accepts_maps(column_type) if index == 0 else accepts_ids(column_type)

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the values of the keys of each row."""
        entries = entries_of(columns[0], _OF_MAPS, ":")
        keys = key_rows(columns[1], self.separator)
        of_keys, found = _found(entries, keys)
        rows = keys.rows[of_keys]
        if self.only_first or self.numbers > 1:
            first = np.append(True, rows[1:] != rows[:-1])[: len(rows)]
            of_keys, found, rows = of_keys[first], found[first], rows[first]
        lengths = np.bincount(rows, minlength=len(keys.lengths))
        values = entries.values.take(pa.array(found))
        if self.combiner is None:
            return self._texts(values, keys.values.take(pa.array(of_keys)), lengths)
        if self.numbers > 1:
            return self._several(values, rows, lengths)
        return combined(numbers_of(values, rows), lengths, self.combiner)

    def _texts(self, values: pa.Array, keys: pa.Array, lengths: Ints) -> pa.Array:
        texts = canonical_texts(values)
        if self.with_key:
            joint = pa.scalar("_", pa.large_string())
            texts = pc.binary_join_element_wise(canonical_texts(keys), texts, joint)
        return lists_of(texts, lengths)

    def _several(self, values: pa.Array, rows: Ints, lengths: Ints) -> pa.Array:
        parts = pc.split_pattern(values.cast(pa.string()), self.inner_separator)
        counts = pc.list_value_length(parts).to_numpy(zero_copy_only=False)
        wrong = counts != self.numbers
        if wrong.any():
            place = int(np.argmax(wrong))
            raise RowValueError(
                f"{values[place].as_py()!r} has {counts[place]} numbers; there must be "
                f"{self.numbers} (value_dim)",
                int(rows[place]),
            )
        numbers = numbers_of(parts.flatten(), np.repeat(rows, self.numbers))
        return lists_of(pa.array(numbers), lengths * self.numbers)


def numbers_of(values: pa.Array, rows: Ints) -> Floats:
    """Returns the numbers that values are or spell, float64 `[N]`; a null is left to be NaN.

    Args:
        values: Numbers or texts `[N]`.
        rows: Row of each value, int64 `[N]`, for messages.

    Raises:
        RowValueError: A text spells no number.
    """
    try:
        return parsed_floats(values)
    except ValueError as error:
        place = first_no_number(pc.utf8_trim_whitespace(values))
        raise RowValueError(str(error), int(rows[place])) from None


def _found(entries: Entries, keys: Rows) -> tuple[Ints, Ints]:
    """Returns the index of each key that is found, and that of its entry, int64 `[M]` each."""
    ours, theirs = pairs_of_rows(keys.lengths, entries.lengths)
    same = hash_values(keys.values)[ours] == hash_values(entries.keys)[theirs]
    ours, theirs = ours[same], theirs[same]
    if entries.values.null_count:
        there = entries.values.is_valid().to_numpy(zero_copy_only=False)[theirs]
        ours, theirs = ours[there], theirs[there]
    again = ours[1:] == ours[:-1]
    if again.any():
        first = np.append(True, ~again)
        ours, theirs = ours[first], theirs[first]
    return ours, theirs
