"""A 64-bit hash of strings and integers: the same on every machine, in every process and version.

Embedding tables are indexed by it, so a change of its values changes every trained model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from raymon.data.values.arrow_types import as_array, is_string, string_bytes
from raymon.data.values.canonical import canonical
from raymon.data.values.spelled_integers import spelled_integers

UInt64s = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_NULL_KEY = np.iinfo(np.int64).min


def hash_integers(values: npt.NDArray[np.int64]) -> UInt64s:
    """Returns the hash of integers: `mix(v + 0x9E3779B97F4A7C15)`, a bijection of 64-bit words.

    Args:
        values: Integers, int64 `[N]`.

    Returns:
        The hashes, uint64 `[N]`.
    """
    return _mix(values.astype(np.int64).view(np.uint64) + _GOLDEN)


def hash_strings(values: pa.Array) -> UInt64s:
    """Returns the hash of strings, by the bytes of their UTF-8.

    With w_0, w_1, ... the little-endian 8-byte words of the string, the last one padded with zeros:
    `h = mix(length + 0x9E3779B97F4A7C15)`, then `h = mix(h ^ w_i)` for each word.

    Args:
        values: Strings `[N]`, plain or dictionary-encoded; the hash of a null is that of "".

    Returns:
        The hashes, uint64 `[N]`.
    """
    if not pa.types.is_dictionary(values.type):
        return _hash_bytes(values.fill_null("") if values.null_count else values)
    hashes = np.append(hash_strings(values.dictionary), _mix(np.array([_GOLDEN])))
    indices = values.indices.cast(pa.int64()).fill_null(len(values.dictionary))
    result: UInt64s = hashes[indices.to_numpy(zero_copy_only=False)]
    return result


def hash_values(values: pa.Array) -> UInt64s:
    """Returns the hash of values, none of them null, by their canonical form: uint64 `[N]`.

    The hash of an integer is that of `hash_integers`, however it is spelled or typed; the hash of
    another text is that of `hash_strings`.

    Raises:
        ValueError: A value has no certain form; the message quotes it.
    """
    values = canonical(values)
    if not is_string(values.type):
        return hash_integers(values.to_numpy(zero_copy_only=False))
    rows, integers = spelled_integers(values)
    if len(rows) == len(values):
        return hash_integers(integers)
    hashes = hash_strings(values)
    hashes[rows] = hash_integers(integers)
    return hashes


def raw_ids(values: pa.Array) -> npt.NDArray[np.int64]:
    """Returns the ids in [0, 2^63) of values, none of them null, by their canonical form.

    An integer is itself, and one in [2^63, 2^64) is refused, as it would be in another column; the
    id of another text is its `hash_strings`, shifted right by one bit.

    Args:
        values: Values with a canonical form, `[N]`.

    Returns:
        The ids, int64 `[N]`, as a new array.

    Raises:
        ValueError: A value has no certain form, or is a number that is no such id; the message
            quotes it.
    """
    texts = canonical(values)
    if not is_string(texts.type):
        ids = np.array(texts.to_numpy(zero_copy_only=False))
        _check_ids(ids, texts)
        return ids
    rows, integers = spelled_integers(texts)
    if len(rows) < len(texts):
        _check_texts(texts)
    ids = id_of_hash(hash_strings(texts))
    ids[rows] = integers
    _check_ids(ids, texts)
    return ids


_NO_ID = "is no id of a table that grows, which are in [0, 2^63)"

_LONG = r"^[1-9][0-9]{18,19}$"
"""The pattern of integers from 10^18 on, and up to 10^20."""


def _check_ids(ids: npt.NDArray[np.int64], values: pa.Array) -> None:
    if len(ids) and ids.min() < 0:
        raise ValueError(f"{values[int(np.argmin(ids))].as_py()} {_NO_ID}")


def _check_texts(texts: pa.Array) -> None:
    """Checks that no text is an integer of 64 bits without a sign that has 64 bits."""
    for text in texts.filter(pc.match_substring_regex(texts, _LONG)).to_pylist():
        if 2**63 <= int(text) < 2**64:
            raise ValueError(f"{text} {_NO_ID}")


def id_of_hash(hashes: UInt64s) -> npt.NDArray[np.int64]:
    """Returns hashes without their lowest bit, as ids in [0, 2^63): int64 `[N]`."""
    return (hashes >> np.uint64(1)).view(np.int64)


def bucket_ids(hashes: UInt64s, buckets: int) -> npt.NDArray[np.int64]:
    """Returns the hashes modulo the number of buckets: int64 `[N]`."""
    # numpy divides by one number three times as fast as it takes the remainder.
    multiples = hashes // np.uint64(buckets)
    multiples *= np.uint64(buckets)
    rest: UInt64s = np.subtract(hashes, multiples, out=multiples)
    return rest.view(np.int64)


def combine_hashes(hashes: Sequence[UInt64s]) -> UInt64s:
    """Returns the hash of a combination, which depends on the order of its parts.

    `h = h_0`, then `h = mix(mix(h + G) ^ h_i)` for each of the others, with the constant G of
    `hash_integers`.

    Args:
        hashes: Hashes of the parts, uint64 `[N]` each.
    """
    combined = hashes[0]
    for other in hashes[1:]:
        combined = _mix(_mix(combined + _GOLDEN) ^ other)
    return combined


def key_ids(column: pa.Array | pa.ChunkedArray) -> torch.Tensor:
    """Returns grouping keys as integers.

    An integer is itself, another value is its hash, and nulls are one group.

    Args:
        column: Values with a canonical form, `[B]`.

    Returns:
        The keys, int64 `[B]`.

    Raises:
        ValueError: A value has no certain form; the message quotes it.
    """
    values = canonical(as_array(column))
    missing = values.is_null().to_numpy(zero_copy_only=False)
    if not is_string(values.type):
        integers = values.fill_null(0).to_numpy(zero_copy_only=False)
        return torch.from_numpy(np.where(missing, _NULL_KEY, integers))
    texts = values.fill_null("")
    keys = hash_strings(texts).view(np.int64)
    rows, spelled = spelled_integers(texts)
    keys[rows] = spelled
    return torch.from_numpy(np.where(missing, _NULL_KEY, keys))


def _mix(words: UInt64s) -> UInt64s:
    # The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, figure 16).
    words = words ^ (words >> np.uint64(30))
    words *= _MIX_1
    words ^= words >> np.uint64(27)
    words *= _MIX_2
    words ^= words >> np.uint64(31)
    return words


def _hash_bytes(values: pa.Array) -> UInt64s:
    count = len(values)
    if count == 0:
        return np.empty(0, np.uint64)
    offsets, data = string_bytes(values)
    lengths = np.diff(offsets)
    data = data[: offsets[-1]]
    longest = int(lengths.max())
    equal = longest == lengths.min()
    if not equal or longest % 8:
        # Every word is loaded whole, even the last one of the buffer.
        data = np.append(data, np.zeros(8, "u1"))
    if equal:
        return _hash_equally_long(data[offsets[0] :], count, longest)
    # The words that begin at each byte, in the same memory.
    words = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))
    hashes = _mix(lengths.astype(np.uint64) + _GOLDEN)
    starts = offsets[:-1]
    for begin in range(0, longest, 8):
        rows = np.flatnonzero(lengths > begin)
        used = words[starts[rows] + begin] & _mask(lengths[rows] - begin)
        hashes[rows] = _mix(hashes[rows] ^ used)
    return hashes


def _hash_equally_long(data: npt.NDArray[np.uint8], count: int, length: int) -> UInt64s:
    # Strings lie next to each other, so words at the same index of each are `length` apart.
    hashes = np.full(count, _mix(np.array([length], np.uint64) + _GOLDEN))
    for begin in range(0, length, 8):
        words = np.ndarray(count, "<u8", data, begin, strides=(length,))
        hashes = _mix(hashes ^ (words & _mask(np.array([length - begin]))))
    return hashes


def _mask(left: npt.NDArray[np.int64]) -> UInt64s:
    """Returns the bits of a word that belong to a string of which `left` bytes are left."""
    unused = (8 - np.minimum(left, 8)).astype(np.uint64)
    return np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(8) * unused)
