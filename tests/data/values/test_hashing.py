from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data.values.hashing import bucket_ids, hash_integers, hash_strings, key_ids

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(word: int) -> int:
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def reference(text: str) -> int:
    data = text.encode()
    value = mix((len(data) + GOLDEN) & MASK)
    for begin in range(0, len(data), 8):
        value = mix(value ^ int.from_bytes(data[begin : begin + 8], "little"))
    return value


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40)))
def test_the_hash_of_strings_follows_its_definition(texts: list[str]) -> None:
    expected = [reference(text) for text in texts]
    for column_type in (pa.string(), pa.large_string()):
        assert hash_strings(pa.array(texts, column_type)).tolist() == expected


@settings(deadline=None)
@given(st.integers(0, 20), st.integers(0, 4), st.data())
def test_strings_of_one_length_hash_as_any_others(
    length: int, skipped: int, data: st.DataObject
) -> None:
    texts = data.draw(st.lists(st.text("abc", min_size=length, max_size=length), max_size=9))
    column = pa.array(["x"] * skipped + texts, pa.string()).slice(skipped)
    assert hash_strings(column).tolist() == [reference(text) for text in texts]


@given(st.lists(st.integers(0, 2**64 - 1)), st.integers(1, 2**63 - 1))
def test_buckets_are_the_rest_of_a_division(hashes: list[int], buckets: int) -> None:
    ids = bucket_ids(np.array(hashes, np.uint64), buckets)
    assert ids.tolist() == [value % buckets for value in hashes]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_the_hash_of_integers_follows_its_definition(values: list[int]) -> None:
    expected = [mix((value + GOLDEN) & MASK) for value in values]
    assert hash_integers(np.array(values, np.int64)).tolist() == expected


def test_the_first_integers_hash_to_the_published_outputs_of_splitmix64() -> None:
    # SplitMix64 with seed 0: its state after the first draw is 0 + GOLDEN.
    assert hash_integers(np.array([0])).tolist() == [0xE220A8397B1DCDAF]


def test_a_slice_and_a_dictionary_hash_as_the_plain_strings() -> None:
    texts = pa.array(["a", "bb", None, "a long string of many words", "a"])
    plain = hash_strings(texts).tolist()
    assert hash_strings(texts.slice(1, 3)).tolist() == plain[1:4]
    assert hash_strings(texts.dictionary_encode()).tolist() == plain


def test_zeros_at_the_end_of_a_string_change_its_hash() -> None:
    assert len(set(hash_strings(pa.array(["", "\0", "\0\0", "a", "a\0"])).tolist())) == 5


def test_small_tables_are_filled_evenly() -> None:
    buckets = hash_strings(pa.array([f"u{i}" for i in range(100_000)])) % np.uint64(100)
    counts = np.bincount(buckets.astype(np.int64), minlength=100)
    # 1,000 expected in each, standard deviation 31.5.
    assert counts.min() > 850
    assert counts.max() < 1150


def test_keys_are_equal_where_values_are_and_nulls_are_one_group() -> None:
    assert key_ids(pa.array([5, None, -1, None])).tolist() == [5, -(2**63), -1, -(2**63)]
    keys = key_ids(pa.chunked_array([["a", None], ["b", "a"]])).tolist()
    assert keys[0] == keys[3]
    assert len(set(keys)) == 3
