"""The values of Arrow arrays.

`Array.to_numpy` and `pa.array` import pandas if there is one, which takes a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def float_values(array: Any) -> NDArray[np.float64]:
    """Returns the values of an array of numbers or booleans `[N]`; NaN for null.

    Raises:
        TypeError: It has other values.
    """
    kind = array.type
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan)
    if not (pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise TypeError(f"{kind} is no number")
    if pa.types.is_boolean(kind):
        found = _bits(array.buffers()[1], array).astype(np.float64)
    else:
        letter = "f" if pa.types.is_floating(kind) else "iu"[str(kind).startswith("u")]
        found = _of_buffer(array.buffers()[1], f"{letter}{kind.bit_width // 8}", array)
        found = found.astype(np.float64)
    valid = validity(array)
    if not valid.all():
        found[~valid] = np.nan
    return found


def validity(array: Any) -> NDArray[np.bool_]:
    """Returns which values of an array are not null `[N]`."""
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    if pa.types.is_null(array.type):
        return np.zeros(len(array), np.bool_)
    return _bits(array.buffers()[0], array)


def list_offsets(array: Any) -> NDArray[np.int64]:
    """Returns where each list of an array of lists begins, and the last ends `[N + 1]`."""
    offsets = array.offsets
    return _of_buffer(offsets.buffers()[1], "i4", offsets).astype(np.int64)


def indices(places: NDArray[np.int64]) -> Any:
    """Returns an Arrow array of places `[N]`, int64."""
    data = pa.py_buffer(np.ascontiguousarray(places, np.int64))
    return pa.Array.from_buffers(pa.int64(), len(places), [None, data])


def _of_buffer(buffer: Any, dtype: str, array: Any) -> NDArray[Any]:
    if buffer is None or not len(array):
        return np.zeros(len(array), dtype)
    return np.frombuffer(buffer, dtype)[array.offset : array.offset + len(array)]


def _bits(buffer: Any, array: Any) -> NDArray[np.bool_]:
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)].astype(np.bool_)
