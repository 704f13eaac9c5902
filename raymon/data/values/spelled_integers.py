"""Strings that spell integers, found and parsed eight digits at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.values.arrow_types import string_bytes

UInt64s = npt.NDArray[np.uint64]

_LONGEST = 22
"""Bytes of the longest spelling: `-9223372036854775808.0`."""

_ZEROS = np.uint64(0x3030303030303030)
_ABOVE_9 = np.uint64(0x7676767676767676)
_HIGH_BITS = np.uint64(0x8080808080808080)
_PAIRS = np.uint64(0x000000FF000000FF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_BOOLEANS = {b"true": 1, b"True": 1, b"TRUE": 1, b"false": 0, b"False": 0, b"FALSE": 0}


def _of_bytes(values: bytes) -> npt.NDArray[np.bool_]:
    """Returns which of the 256 bytes are among `values`."""
    return np.isin(np.arange(256), np.frombuffer(values, "u1"))


_DIGITS = b"0123456789"
_FIRST, _LAST, _LETTERS = (_of_bytes(b) for b in (_DIGITS + b"-tTfF", _DIGITS + b"eE", b"tTfF"))

_BLOCK = 1 << 13
"""Strings that are processed together, so that intermediate results stay in the caches."""


def spelled_integers(
    strings: pa.Array,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Finds the 64-bit integers that strings spell.

    They are spelled as by `str`, or followed by `.0`, or as booleans.

    Args:
        strings: Plain strings, `[N]`, none of them null.

    Returns:
        The indices of the strings that spell one, and the integers, int64 `[M]` each.
    """
    offsets, data = string_bytes(strings)
    # Words end where their strings end, so those of the first strings reach back by three words.
    padded = np.concatenate([np.zeros(24, "u1"), data[offsets[0] : offsets[-1]]])
    starts = offsets[:-1].astype(np.int64) - (offsets[0] - 24)
    lengths = np.diff(offsets).astype(np.int64)
    parts = [
        _spelled(padded, starts[begin : begin + _BLOCK], lengths[begin : begin + _BLOCK], begin)
        for begin in range(0, max(len(starts), 1), _BLOCK)
    ]
    rows, integers = zip(*parts, strict=True)
    return np.concatenate(rows), np.concatenate(integers)


def _spelled(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    begin: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Finds the integers in strings that lie in `data`; the first string has index `begin`."""
    rows = np.flatnonzero((lengths > 0) & (lengths <= _LONGEST))
    starts, lengths = starts[rows], lengths[rows]
    # They begin with a digit, a sign or the first letter of a boolean, and end with a digit or
    # the last letter of one.
    may = _FIRST[data[starts]] & _LAST[data[starts + lengths - 1]]
    rows, starts, lengths = rows[may], starts[may], lengths[may]
    if len(rows) == 0:
        return rows, rows.copy()
    words = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))
    ends = starts + lengths
    integers, valid = _numbers(data, words, starts, ends)
    letters = np.flatnonzero(_LETTERS[data[starts]])
    for row in letters.tolist():
        word = data[starts[row] : ends[row]].tobytes()
        if word in _BOOLEANS:
            integers[row], valid[row] = _BOOLEANS[word], True
    return rows[valid] + begin, integers[valid]


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
    # There are no leading zeros, and 0 has no sign, except in -0.0.
    valid &= (first != ord("0")) | ((digits == 1) & (~negative | tenths))
    valid &= value <= np.uint64(2**63 - 1) + negative.astype(np.uint64)
    integers = value.view(np.int64)
    return np.where(negative, -integers, integers), valid


def _eight_digits(
    words: UInt64s, used: npt.NDArray[np.int64]
) -> tuple[UInt64s, npt.NDArray[np.bool_]]:
    """Returns what the last `used` bytes of words spell, and whether all of them are digits."""
    unused = (8 * (8 - used)).astype(np.uint64)
    # A shift by 64 bits would be taken as a shift by 0.
    kept = np.where(used == 0, np.uint64(0), _ALL << (unused & np.uint64(63)))
    digits = ((words & kept) | (_ZEROS & ~kept)) ^ _ZEROS
    valid = (((digits + _ABOVE_9) | digits) & _HIGH_BITS) == 0
    # Neighbouring digits are joined to numbers of two digits, then of four, then of eight.
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    high = (pairs & _PAIRS) * np.uint64(0x000F424000000064)
    low = ((pairs >> np.uint64(16)) & _PAIRS) * np.uint64(0x0000271000000001)
    return (high + low) >> np.uint64(32), valid
