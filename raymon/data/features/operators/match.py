"""The value of two keys in a map of maps of the same row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.operators.combiner import combined
from raymon.data.features.operators.keys import KEY_TYPES, key_rows
from raymon.data.features.operators.lookup import numbers_of
from raymon.data.features.operators.maps import entries_of
from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import (
    Ints,
    Rows,
    lists_of,
    pairs_of_rows,
    starts_of,
)
from raymon.data.features.operators.values import accepts_ids
from raymon.data.values import arrow_types
from raymon.data.values.canonical import canonical_texts
from raymon.data.values.hashing import hash_values


@dataclass(frozen=True)
class Match(Operator):
    """The values that keys of a row have in its map of maps, `p1^s1:v,s2:v|p2^s3:v`.

    Keys are compared in their canonical form, numbers with a fraction by their texts, by hashes of
    64 bits; one that is not there is left
    out.

    Attributes:
        has_outer: Whether there is a column of outer keys; if not, all of them are taken.
        has_inner: Whether there is a column of inner keys; if not, all of them are taken.
        separator: Text between the keys of one string.
        combiner: What becomes of several numbers; None if values are texts.
        show_outer: Whether texts begin with the outer key.
        show_inner: Whether texts have the inner key before the value.
        only_first: Whether a row has its first value alone.
    """

    has_outer: bool
    has_inner: bool
    separator: str
    combiner: str | None
    show_outer: bool = False
    show_inner: bool = False
    only_first: bool = False

    @property
    def output_type(self) -> pa.DataType:
        """Numbers if they are combined, else lists of numbers or texts."""
        if self.combiner is None:
            return pa.large_list(pa.large_string())
        return pa.float64() if self.combiner else pa.large_list(pa.float64())

    def accepted_types(self, index: int) -> str:
        """Returns the types of maps, or those of keys, in words for a message."""
        return 'strings of "P^S:VALUE,S:VALUE|P^S:VALUE"' if index == 0 else KEY_TYPES

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether the first column has strings, and the others keys."""
        if index == 0:
            return arrow_types.is_string(column_type) or pa.types.is_null(column_type)
        return accepts_ids(column_type)

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the values of the keys of each row."""
        outer = entries_of(columns[0], "|", "^")
        keys = [key_rows(column, self.separator) for column in columns[1:]]
        of_row = np.repeat(np.arange(len(outer.lengths)), outer.lengths)
        chosen = np.arange(len(of_row))
        if self.has_outer:
            ours, theirs = pairs_of_rows(keys[0].lengths, outer.lengths)
            same = hash_values(keys[0].values)[ours] == hash_values(outer.keys)[theirs]
            chosen = theirs[same]
        rows = of_row[chosen]
        # Only the inner maps of outer keys that are looked up are parsed.
        inner = entries_of(outer.values.take(pa.array(chosen)), ",", ":")
        of_outer = np.repeat(np.arange(len(chosen)), inner.lengths)
        found = np.arange(len(of_outer))
        if self.has_inner:
            found = _found(inner.keys, inner.lengths, keys[-1], rows)
        of_outer, lines = of_outer[found], rows[of_outer[found]]
        if self.only_first and len(lines):
            first = np.append(True, lines[1:] != lines[:-1])
            found, of_outer, lines = found[first], of_outer[first], lines[first]
        lengths = np.bincount(lines, minlength=len(outer.lengths))
        values = inner.values.take(pa.array(found))
        if self.combiner is not None:
            return combined(numbers_of(values, lines), lengths, self.combiner)
        shown = [canonical_texts(values)]
        if self.show_inner:
            shown.insert(0, canonical_texts(inner.keys.take(pa.array(found))))
        if self.show_outer:
            shown.insert(0, canonical_texts(outer.keys.take(pa.array(chosen[of_outer]))))
        joint = pa.scalar("_", pa.large_string())
        texts = shown[0] if len(shown) == 1 else pc.binary_join_element_wise(*shown, joint)
        return lists_of(texts, lengths)


def _found(inner_keys: pa.Array, inner_lengths: Ints, keys: Rows, rows: Ints) -> Ints:
    """Returns the indices of the inner entries whose keys are among those of their rows.

    Args:
        inner_keys: Keys of the inner entries `[N]`.
        inner_lengths: Number of entries of each inner map, int64 `[M]`.
        keys: Inner keys of all rows.
        rows: Row of each inner map, int64 `[M]`.
    """
    lengths = keys.lengths[rows]
    of_map = np.repeat(keys.starts[rows] - starts_of(lengths), lengths) + np.arange(lengths.sum())
    ours, theirs = pairs_of_rows(lengths, inner_lengths)
    same = hash_values(keys.values)[of_map[ours]] == hash_values(inner_keys)[theirs]
    found: Ints = theirs[same]
    return found
