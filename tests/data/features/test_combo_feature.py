from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import Feature, IdList
from raymon.data.values.hashing import combine_hashes, hash_integers, hash_strings
from tests.data.features.test_build import features, rows

COMBO = 'feature_name: "f" expression: ["user:a", "item:b"] embedding_dim: 4 separator: "|" '


def combo(text: str) -> Feature:
    return features(f"combo_feature {{ {COMBO} {text} }}")[0]


def texts(cells: list[list[str] | None]) -> pa.Array:
    return pa.array([None if cell is None else "|".join(cell) for cell in cells], pa.string())


@settings(deadline=None)
@given(st.data(), st.integers(0, 8), st.sampled_from(["", "x_y"]), st.booleans())
def test_ids_are_those_of_all_combinations(
    data: st.DataObject, count: int, default: str, encode: bool
) -> None:
    cell = st.none() | st.lists(st.sampled_from(["x", "y", "zz", ""]), max_size=3)
    left = data.draw(st.lists(cell, min_size=count, max_size=count))
    right = data.draw(st.lists(cell, min_size=count, max_size=count))
    columns = [texts(left), texts(right)]
    if encode:
        columns = [column.dictionary_encode() for column in columns]
    vocab = {"x_y": 7, "zz_x": 2, "y_y": 7}
    entries = " ".join(f'vocab_dict {{ key: "{k}" value: {v} }}' for k, v in vocab.items())
    tail = f'default_value: "{default}"'
    listed = combo(f"{entries} {tail}").convert(*columns)
    hashed = combo(f"hash_bucket_size: 97 {tail}").convert(*columns)

    def text_hash(text: str) -> np.ndarray:
        return hash_strings(pa.array([text]))

    expected, hashes = [], []
    for a, b in zip(left, right, strict=True):
        pairs = list(itertools.product(*([v for v in cell or [] if v] for cell in (a, b))))
        # A default value has id 0 in a vocab_dict, also where it is listed.
        ids = {**vocab, default: 0} if default else vocab
        expected.append([ids.get("_".join(p), 1) for p in pairs] or [0] * bool(default))
        row = [int(combine_hashes([text_hash(p) for p in pair])[0]) % 97 for pair in pairs]
        hashes.append(row or [int(text_hash(default)[0]) % 97] * bool(default))
    assert rows(listed, count) == expected
    assert rows(hashed, count) == hashes


def test_integers_lists_and_three_columns_are_crossed() -> None:
    feature = features(
        'combo_feature { feature_name: "f" expression: ["user:a", "user:b", "user:c"] '
        "embedding_dim: 2 hash_bucket_size: 1000 }"
    )[0]
    ids = feature.convert(pa.array([1, 2]), pa.array([["p", "q"], ["p"]]), pa.array([5, None]))
    one, five = hash_integers(np.array([1])), hash_integers(np.array([5]))
    row = [
        int(combine_hashes([one, hash_strings(pa.array([text])), five])[0]) % 1000
        for text in ("p", "q")
    ]
    assert rows(ids, 2) == [row, []]


def test_the_order_of_the_columns_counts() -> None:
    x, y = (hash_strings(pa.array([text])) for text in "xy")
    assert combine_hashes([x, y]) != combine_hashes([y, x])
    assert combine_hashes([x, x]) != combine_hashes([y, y])


def test_single_values_have_no_offsets() -> None:
    ids = combo("hash_bucket_size: 50").convert(pa.array(["x", "y"]), pa.array(["x", "x"]))
    assert isinstance(ids, IdList)
    assert ids.offsets is None


@pytest.mark.parametrize("column_type", [pa.timestamp("s"), pa.list_(pa.time64("us")), pa.binary()])
def test_other_types_are_not_accepted(column_type: pa.DataType) -> None:
    assert not combo("hash_bucket_size: 50").accepts(column_type)
