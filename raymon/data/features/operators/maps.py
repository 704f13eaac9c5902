"""Columns of maps: strings of "key:value", lists of them, or maps of Arrow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.operators.keys import with_fractions
from raymon.data.features.operators.operator import RowValueError
from raymon.data.features.operators.rows import Ints, value_rows
from raymon.data.values import arrow_types
from raymon.data.values.arrow_types import is_list, is_string
from raymon.data.values.canonical import canonical_texts, is_value

MAP_TYPES = 'strings of "KEY:VALUE", lists of them, or maps'
"""The types of columns of maps, in words for a message."""


@dataclass(frozen=True)
class Entries:
    """The entries of the maps of all rows, one row after the other.

    Attributes:
        keys: Keys `[N]`, none of them null.
        values: Values `[N]`, of any type.
        lengths: Number of entries of each row, int64 `[B]`.
    """

    keys: pa.Array
    values: pa.Array
    lengths: Ints


def accepts_maps(column_type: pa.DataType) -> bool:
    """Whether a column is one of maps."""
    if pa.types.is_map(column_type):
        items = column_type.item_type
        return is_value(column_type.key_type) and (is_value(items) or arrow_types.is_number(items))
    if is_list(column_type):
        column_type = column_type.value_type
    return is_string(column_type) or pa.types.is_null(column_type)


def entries_of(
    column: pa.Array, separator: str, delimiter: str, alone: str | None = None
) -> Entries:
    """Returns the entries of a column of maps.

    Args:
        column: Maps `[B]`; a null one is empty.
        separator: Text between the entries of one string.
        delimiter: Text between a key and its value.
        alone: Value of an entry that has no delimiter; None if it must have one.

    Raises:
        RowValueError: An entry has no delimiter.
    """
    if pa.types.is_map(column.type):
        return _of_arrow(column)
    texts, lengths = _texts(column, separator)
    keys, values = _halves(texts, lengths, delimiter, alone)
    return Entries(keys, values, lengths)


def _of_arrow(column: pa.MapArray) -> Entries:
    offsets = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    lengths = np.diff(offsets)
    begin, count = int(offsets[0]), int(lengths.sum())
    keys, values = column.keys.slice(begin, count), column.items.slice(begin, count)
    if column.null_count:
        there = column.is_valid().to_numpy(zero_copy_only=False)
        if lengths[~there].any():
            kept = pa.array(np.repeat(there, lengths))
            keys, values = keys.filter(kept), values.filter(kept)
        lengths = np.where(there, lengths, 0)
    return Entries(
        with_fractions(arrow_types.as_array(keys)), arrow_types.as_array(values), lengths
    )


def _texts(column: pa.Array, separator: str) -> tuple[pa.Array, Ints]:
    if pa.types.is_null(column.type):
        return pa.array([], pa.string()), np.zeros(len(column), np.int64)
    if not is_list(column.type) and not is_string(column.type):
        rows = value_rows(column, None)
        return canonical_texts(rows.values), rows.lengths
    if is_string(column.type):
        column = pc.split_pattern(column, separator)
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    texts = arrow_types.as_array(column.flatten())
    if not is_string(texts.type):
        texts = canonical_texts(texts)
    kept = pc.and_kleene(texts.is_valid(), pc.not_equal(texts, "")).fill_null(False)
    mask = kept.to_numpy(zero_copy_only=False)
    if not mask.all():
        rows = np.repeat(np.arange(len(column)), lengths)[mask]
        lengths, texts = np.bincount(rows, minlength=len(column)), texts.filter(kept)
    return texts, lengths.astype(np.int64)


def _halves(
    texts: pa.Array, lengths: Ints, delimiter: str, alone: str | None
) -> tuple[pa.Array, pa.Array]:
    """Returns what is before the first delimiter of each text, and what is behind it."""
    parts = pc.split_pattern(texts, delimiter, max_splits=1)
    counts = pc.list_value_length(parts).to_numpy(zero_copy_only=False)
    flat = parts.flatten()
    if len(flat) == 2 * len(texts):
        # Slices with a step are copies without a search.
        evens = np.arange(0, len(flat), 2)
        return flat.take(pa.array(evens)), flat.take(pa.array(evens + 1))
    if alone is None:
        place = int(np.argmax(counts < 2))
        row = int(np.searchsorted(np.cumsum(lengths), place, side="right"))
        raise RowValueError(
            f"{texts[place].as_py()!r} is no entry of a map; write KEY{delimiter}VALUE", row
        )
    starts = np.cumsum(counts) - counts
    keys = flat.take(pa.array(starts))
    behind = flat.take(pa.array(np.where(counts > 1, starts + 1, 0)))
    return keys, pc.if_else(pa.array(counts > 1), behind, pa.scalar(alone, behind.type))
