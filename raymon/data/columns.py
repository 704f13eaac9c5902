"""Arrow columns: which types they are, and their values one after the other."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def is_integer(column_type: pa.DataType) -> bool:
    """Whether values are integers, booleans or times, themselves or by a dictionary."""
    value_type = _value_type(column_type)
    return bool(
        pa.types.is_integer(value_type) or pa.types.is_boolean(value_type) or is_time(value_type)
    )


def is_number(column_type: pa.DataType) -> bool:
    """Whether values are integers, booleans, floats or decimals."""
    value_type = _value_type(column_type)
    return bool(
        is_integer(value_type)
        or pa.types.is_floating(value_type)
        or pa.types.is_decimal(value_type)
    )


def is_string(column_type: pa.DataType) -> bool:
    """Whether values are strings, themselves or by a dictionary."""
    value_type = _value_type(column_type)
    return bool(pa.types.is_string(value_type) or pa.types.is_large_string(value_type))


def is_list(column_type: pa.DataType) -> bool:
    """Whether a row holds a list of values."""
    return bool(
        pa.types.is_list(column_type)
        or pa.types.is_large_list(column_type)
        or pa.types.is_fixed_size_list(column_type)
    )


def in_one_piece(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as an array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def as_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column in one piece, without a dictionary.

    Dates and times are integers: days, or the unit of their type, since 1970-01-01 UTC.
    """
    array = in_one_piece(column)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if is_time(array.type):
        array = array.view(pa.int32() if array.type.bit_width == 32 else pa.int64())
    return array


def as_int64(values: pa.Array) -> npt.NDArray[np.int64]:
    """Integers or booleans without nulls as int64; unsigned ones above 2**63 wrap round."""
    result: npt.NDArray[np.int64] = values.cast(pa.int64(), safe=False).to_numpy(
        zero_copy_only=False
    )
    return result


def as_float64(
    column: pa.Array | pa.ChunkedArray, null: float = math.nan
) -> npt.NDArray[np.float64]:
    """Numbers as float64, with `null` in place of nulls."""
    values = as_array(column)
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    elif pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    reals = values.cast(pa.float64(), safe=False)
    if reals.null_count:
        reals = reals.fill_null(null)
    result: npt.NDArray[np.float64] = reals.to_numpy(zero_copy_only=False)
    return result


def string_bytes(
    strings: pa.Array,
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.uint8]]:
    """The memory of plain strings or binaries `[N]`.

    Returns:
        Where each begins in the bytes, and where the last one ends: int32 or int64 `[N + 1]`; and
        the bytes: uint8. Of a null there are any bytes, usually none.
    """
    _, offset_buffer, data_buffer = strings.buffers()
    if len(strings) == 0:
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    wide = pa.types.is_large_string(strings.type) or pa.types.is_large_binary(strings.type)
    offsets: npt.NDArray[np.integer] = np.frombuffer(offset_buffer, "<i8" if wide else "<i4")
    part = offsets[strings.offset : strings.offset + len(strings) + 1]
    return part, np.frombuffer(data_buffer or b"", np.uint8)


def flat_values(
    column: pa.Array, separator: str | None
) -> tuple[pa.Array, npt.NDArray[np.int64] | None]:
    """The values of all rows one after the other; nulls and empty strings are left out.

    Args:
        column: `[B]`, scalars or lists.
        separator: between the values of one string; None: a string is one value.

    Returns:
        The values `[N]`, and int64 `[B]`, how many of them each row has; None: one each.
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
    """The values and the weights of strings `[N]` as `value:weight`, none of them null.

    Raises:
        ValueError: a string is none; the message has it.
    """
    parts = pc.split_pattern(values, ":", max_splits=1, reverse=True)
    counts = pc.list_value_length(parts).to_numpy(zero_copy_only=False)
    whole = parts.filter(pa.array(counts == 2)).flatten()
    try:
        weights = as_float64(whole.take(pa.array(np.arange(1, len(whole), 2))))
    except pa.ArrowInvalid:
        weights = np.full(len(whole) // 2, np.nan)
    if len(weights) < len(values) or not np.isfinite(weights).all():
        raise ValueError(f"{_first_unweighted(values)!r} is not VALUE:WEIGHT")
    return whole.take(pa.array(np.arange(0, len(whole), 2))), weights


def _first_unweighted(values: pa.Array) -> str:
    for text in values.to_pylist():
        try:
            if ":" in text and math.isfinite(float(text.rpartition(":")[2])):
                continue
        except ValueError:
            pass
        return str(text)
    return ""


def _contains(strings: pa.Array, text: str) -> bool:
    if pa.types.is_dictionary(strings.type) or len(text.encode()) > 1:
        return bool(pc.any(pc.match_substring(as_array(strings), text)).as_py())
    # One byte is looked for in the bytes of all strings at once, which takes a tenth of the time.
    offsets, data = string_bytes(strings)
    return bool((data[offsets[0] : offsets[-1]] == ord(text)).any())


def _any_empty(strings: pa.Array) -> bool:
    if len(strings) == 0:
        return False
    offsets, _ = string_bytes(as_array(strings))
    return bool(np.diff(offsets).min() == 0)


def is_time(column_type: pa.DataType) -> bool:
    """Whether values are dates, times, or both together."""
    types = pa.types
    return bool(
        types.is_date(column_type) or types.is_timestamp(column_type) or types.is_time(column_type)
    )


def _value_type(column_type: pa.DataType) -> pa.DataType:
    return column_type.value_type if pa.types.is_dictionary(column_type) else column_type
