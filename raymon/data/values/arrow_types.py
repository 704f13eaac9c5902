"""Arrow columns: predicates on their types, and their values as numbers or bytes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def is_number(column_type: pa.DataType) -> bool:
    """Whether values are integers, booleans, floats, decimals, dates or times, or all missing."""
    kind, types = value_type(column_type), pa.types
    return bool(
        types.is_integer(kind)
        or types.is_boolean(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
        or is_time(kind)
    )


def is_string(column_type: pa.DataType) -> bool:
    """Whether values are strings, plain or dictionary-encoded."""
    kind, types = value_type(column_type), pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_list(column_type: pa.DataType) -> bool:
    """Whether a row holds a list of values."""
    return bool(
        pa.types.is_list(column_type)
        or pa.types.is_large_list(column_type)
        or pa.types.is_fixed_size_list(column_type)
    )


def is_weighted_map(column_type: pa.DataType) -> bool:
    """Whether a row holds a map whose values are numbers."""
    return bool(pa.types.is_map(column_type) and is_number(column_type.item_type))


def in_one_piece(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Returns the column as one array, still dictionary-encoded if it was."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def as_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Returns the column as one array, without a dictionary or string views."""
    array = in_one_piece(column)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(pa.large_string()) if pa.types.is_string_view(array.type) else array


def as_float64(
    column: pa.Array | pa.ChunkedArray, null: float = math.nan
) -> npt.NDArray[np.float64]:
    """Returns numbers as float64, with `null` in place of nulls.

    A date is the number of days since 1970-01-01; a time is the number of seconds since then, or
    since midnight, whatever the unit of its type.
    """
    values, scale = as_array(column), 1.0
    if is_time(values.type):
        values, scale = _counted(values)
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    elif pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    reals = values.cast(pa.float64(), safe=False)
    if reals.null_count:
        reals = reals.fill_null(null * scale)
    result: npt.NDArray[np.float64] = reals.to_numpy(zero_copy_only=False)
    return result if scale == 1.0 else result / scale


def string_bytes(
    strings: pa.Array,
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.uint8]]:
    """Returns the memory of plain strings or binaries `[N]`.

    Returns:
        The index in the bytes at which each string begins, and at which the last one ends, int32 or
        int64 `[N + 1]`; and the bytes, uint8. A null may have bytes too, and usually has none.
    """
    _, offset_buffer, data_buffer = strings.buffers()
    if len(strings) == 0:
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    wide = pa.types.is_large_string(strings.type) or pa.types.is_large_binary(strings.type)
    offsets: npt.NDArray[np.integer] = np.frombuffer(offset_buffer, "<i8" if wide else "<i4")
    part = offsets[strings.offset : strings.offset + len(strings) + 1]
    return part, np.frombuffer(data_buffer or b"", np.uint8)


def is_time(column_type: pa.DataType) -> bool:
    """Whether values are dates, times, or both together."""
    types = pa.types
    return bool(
        types.is_date(column_type) or types.is_timestamp(column_type) or types.is_time(column_type)
    )


def _counted(values: pa.Array) -> tuple[pa.Array, float]:
    """Returns dates and times as integers, and how many of them make a day or a second."""
    if pa.types.is_date(values.type):
        return values.cast(pa.date32()).view(pa.int32()), 1.0
    scale = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[values.type.unit]
    return values.view(pa.int32() if values.type.bit_width == 32 else pa.int64()), scale


def value_type(column_type: pa.DataType) -> pa.DataType:
    """Returns the type of the values, without a dictionary."""
    return column_type.value_type if pa.types.is_dictionary(column_type) else column_type
