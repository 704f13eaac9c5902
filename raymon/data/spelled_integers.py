"""Strings that spell integers, found and read eight digits at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.columns import string_bytes

UInt64s = npt.NDArray[np.uint64]

_LONGEST = 22
"""Bytes of the longest one: `-9223372036854775808.0`."""

_ZEROS = np.uint64(0x3030303030303030)
_ABOVE_9 = np.uint64(0x7676767676767676)
_HIGH_BITS = np.uint64(0x8080808080808080)
_PAIRS = np.uint64(0x000000FF000000FF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_BOOLEANS = {
    np.uint64(int.from_bytes(text.encode(), "little")): int(text.lower() == "true")
    for text in ("true", "True", "TRUE", "false", "False", "FALSE")
}


def spelled_integers(
    strings: pa.Array,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The integers of 64 bits that strings spell: as `str` does, with `.0` behind, or as booleans.

    Args:
        strings: plain, `[N]`, none of them null.

    Returns:
        Which strings spell one, and the integers: int64 `[M]` each.
    """
    offsets, data = string_bytes(strings)
    starts, lengths = offsets[:-1].astype(np.int64), np.diff(offsets).astype(np.int64)
    rows = np.flatnonzero((lengths > 0) & (lengths <= _LONGEST))
    last = data[starts[rows] + lengths[rows] - 1]
    # A digit, or the last letter of a boolean.
    rows = rows[((last >= ord("0")) & (last <= ord("9"))) | (last & 0xDF == ord("E"))]
    if len(rows) == 0:
        return rows, rows.copy()
    # Words end with their strings, so that those at the beginning reach back by three words.
    padded = np.concatenate([np.zeros(24, "u1"), data[: offsets[-1]]])
    words = np.ndarray(len(padded) - 7, "<u8", padded, strides=(1,))
    starts, lengths = starts[rows] + 24, lengths[rows]
    ends = starts + lengths
    integers, valid = _numbers(padded, words, starts, ends)
    tail = words[ends - 8]
    for length in (4, 5):
        letters = tail >> np.uint64(64 - 8 * length)
        for word, value in _BOOLEANS.items():
            same = (lengths == length) & (letters == word)
            integers[same], valid[same] = value, True
    return rows[valid], integers[valid]


def _numbers(
    data: npt.NDArray[np.uint8],
    words: UInt64s,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    negative = data[starts] == ord("-")
    tenths = (words[ends - 8] >> np.uint64(48)) == np.uint64(0x302E)  # ".0"
    tenths &= ends - starts > 2
    ends = ends - 2 * tenths
    digits = ends - starts - negative
    valid = (digits > 0) & (digits <= 19)
    value = np.zeros(len(starts), np.uint64)
    for word, unit in enumerate((1, 10**8, 10**16)):
        used = np.clip(digits - 8 * word, 0, 8)
        if not used.any():
            break
        found, only_digits = _eight_digits(words[ends - 8 * (word + 1)], used)
        value += found * np.uint64(unit)
        valid &= only_digits
    first = data[starts + negative]
    # Nothing has zeros in front, and 0 no sign, unless it is -0.0.
    valid &= (first != ord("0")) | ((digits == 1) & (~negative | tenths))
    valid &= value <= np.uint64(2**63 - 1) + negative.astype(np.uint64)
    integers = value.view(np.int64)
    return np.where(negative, -integers, integers), valid


def _eight_digits(
    words: UInt64s, used: npt.NDArray[np.int64]
) -> tuple[UInt64s, npt.NDArray[np.bool_]]:
    """What the last `used` bytes of words spell, and whether all of them are digits."""
    unused = (8 * (8 - used)).astype(np.uint64)
    # A shift by 64 is none.
    kept = np.where(used == 0, np.uint64(0), _ALL << (unused & np.uint64(63)))
    digits = ((words & kept) | (_ZEROS & ~kept)) ^ _ZEROS
    valid = (((digits + _ABOVE_9) | digits) & _HIGH_BITS) == 0
    # Neighbours become numbers of two digits, then of four, then of eight.
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    high = (pairs & _PAIRS) * np.uint64(0x000F424000000064)
    low = ((pairs >> np.uint64(16)) & _PAIRS) * np.uint64(0x0000271000000001)
    return (high + low) >> np.uint64(32), valid
