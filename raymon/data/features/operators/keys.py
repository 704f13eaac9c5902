"""Keys that are looked up in maps, which may be numbers with a fraction."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.operators.rows import Rows, lists_of, value_rows
from raymon.data.values import arrow_types
from raymon.data.values.canonical import canonical_texts

KEY_TYPES = "numbers, strings or dates, or lists of them"
"""The types of columns of keys, in words for a message."""


def key_rows(column: pa.Array, separator: str) -> Rows:
    """Returns the keys of all rows, in canonical form.

    Args:
        column: Scalars or lists `[B]`.
        separator: Text between the keys of one string.

    Raises:
        ValueError: A key is a float too large to be exact; the message quotes it.
    """
    if not arrow_types.is_list(column.type):
        return value_rows(with_fractions(column), separator)
    values = arrow_types.as_array(column.flatten())
    spelled = with_fractions(values)
    if spelled is values:
        return value_rows(column, separator)
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    return value_rows(lists_of(spelled, lengths.astype(np.int64)), separator)


def with_fractions(values: pa.Array) -> pa.Array:
    """Returns keys, as texts if one of them is a number with a fraction.

    The text of such a number is the shortest that spells it, in single precision if it is one: 0.5
    is "0.5", and 7.0 beside it is "7".

    Args:
        values: Keys `[N]` of any type.

    Raises:
        ValueError: Beside a fraction there is a float too large to be exact.
    """
    if not pa.types.is_floating(values.type):
        return values
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    reals = values.to_numpy(zero_copy_only=False).astype(np.float64)
    # Comparisons with NaN are false, and warn; the single precision of large numbers overflows.
    with np.errstate(invalid="ignore", over="ignore"):
        parted = np.isinf(reals) | (np.abs(reals - np.trunc(reals)) > 0)
        single = reals.astype(np.float32)
        is_single = single == reals
    if not parted.any():
        return values
    wholes = pc.if_else(pa.array(parted), pa.scalar(None, values.type), values)
    spelled = pc.if_else(
        pa.array(is_single), pa.array(single).cast(pa.string()), pa.array(reals).cast(pa.string())
    )
    return pc.if_else(pa.array(parted), spelled.cast(pa.large_string()), canonical_texts(wholes))
