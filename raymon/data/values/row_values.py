"""The values of rows that become ids, one row after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.values.arrow_types import as_array, as_float64, is_list, is_string, string_bytes
from raymon.data.values.canonical import canonical


def flat_values(
    column: pa.Array, separator: str | None
) -> tuple[pa.Array, npt.NDArray[np.int64] | None]:
    """Returns the canonical values of all rows, one row after the other, without missing ones.

    Nulls and empty strings are missing values.

    Args:
        column: Scalars or lists, `[B]`.
        separator: Text between the values of one string; None if a string is one value.

    Returns:
        The values `[N]`, int64 or strings, and the number of values of each row, int64 `[B]`; None
        if every row has one.

    Raises:
        ValueError: A value has no certain form; the message quotes it.
    """
    if separator is not None and is_string(column.type) and _contains(column, separator):
        column = pc.split_pattern(column, pattern=separator)
    lengths = None
    if is_list(column.type):
        lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
        lengths = lengths.astype(np.int64)
        values = as_array(column.flatten())
    else:
        values = column
    values = canonical(values)
    if values.null_count == 0 and not (is_string(values.type) and _any_empty(values)):
        return values, lengths
    keep = values.is_valid()
    if is_string(values.type):
        keep = pc.and_kleene(keep, pc.not_equal(values, ""))
    kept = keep.fill_null(False).to_numpy(zero_copy_only=False)
    if lengths is None:
        lengths = np.ones(len(column), np.int64)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    lengths = np.bincount(rows[kept], minlength=len(lengths)).astype(np.int64)
    return values.filter(pa.array(kept)), lengths


def weighted_values(values: pa.Array) -> tuple[pa.Array, npt.NDArray[np.float64]]:
    """Splits strings `[N]` of the form `value:weight`, none of them null, into values and weights.

    Raises:
        ValueError: A string is not of this form; the message quotes it.
    """
    parts = pc.split_pattern(values, ":", max_splits=1, reverse=True)
    counts = pc.list_value_length(parts).to_numpy(zero_copy_only=False)
    whole = parts.filter(pa.array(counts == 2)).flatten()
    listed = whole.take(pa.array(np.arange(0, len(whole), 2)))
    weights = _numbers(whole.take(pa.array(np.arange(1, len(whole), 2))))
    # An empty value is a missing one, which has no weight.
    wrong = len(weights) < len(values) or not np.isfinite(weights).all() or _any_empty(listed)
    if wrong:
        raise ValueError(f"{_first_unweighted(values)!r} is not VALUE:WEIGHT")
    return listed, weights


def map_values(
    column: pa.MapArray,
) -> tuple[pa.Array, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Returns the keys of maps `[B]` as canonical values, without empty ones, and their numbers.

    Returns:
        The keys `[N]`, the number of keys of each row, int64 `[B]`, and their numbers `[N]`.

    Raises:
        ValueError: A key has no certain form, or a number is missing or not finite.
    """
    offsets = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    lengths = np.diff(offsets)
    first, count = int(offsets[0]), int(lengths.sum())
    keys, items = as_array(column.keys.slice(first, count)), column.items.slice(first, count)
    there = keys.is_valid()
    if is_string(keys.type):
        there = pc.and_kleene(there, pc.not_equal(keys, "")).fill_null(False)
    kept = there.to_numpy(zero_copy_only=False)
    if column.null_count:
        kept = kept & np.repeat(column.is_valid().to_numpy(zero_copy_only=False), lengths)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    lengths = np.bincount(rows[kept], minlength=len(lengths)).astype(np.int64)
    values = canonical(keys.filter(pa.array(kept)))
    weights = as_float64(items)[kept]
    if not np.isfinite(weights).all():
        wrong = values[int(np.argmin(np.isfinite(weights)))].as_py()
        raise ValueError(f"{wrong!r} has no finite number in its map")
    return values, lengths, weights


def first_values(
    lengths: npt.NDArray[np.int64], most: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Returns which values are among the first of their row, and how many each row then has.

    Args:
        lengths: Number of values of each row, int64 `[B]`.
        most: Number of values that a row keeps at most.
    """
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept: npt.NDArray[np.bool_] = np.arange(len(starts)) - starts < most
    return kept, np.minimum(lengths, most)


def _numbers(texts: pa.Array) -> npt.NDArray[np.float64]:
    """Returns the numbers that texts `[N]` spell; NaN for all of them if one is no number."""
    try:
        return as_float64(pc.utf8_trim_whitespace(texts))
    except pa.ArrowInvalid:
        return np.full(len(texts), np.nan)


def _first_unweighted(values: pa.Array) -> str:
    for text in values.to_pylist():
        value, _, weight = text.rpartition(":")
        if not value or not np.isfinite(_numbers(pa.array([weight]))).all():
            return str(text)
    raise AssertionError


def _contains(strings: pa.Array, text: str) -> bool:
    if pa.types.is_dictionary(strings.type) or len(text.encode()) > 1:
        return bool(pc.any(pc.match_substring(as_array(strings), text)).as_py())
    # Searching one byte in the bytes of all strings at once takes a tenth of the time.
    offsets, data = string_bytes(strings)
    return bool((data[offsets[0] : offsets[-1]] == ord(text)).any())


def _any_empty(strings: pa.Array) -> bool:
    if len(strings) == 0:
        return False
    offsets, _ = string_bytes(as_array(strings))
    return bool(np.diff(offsets).min() == 0)
