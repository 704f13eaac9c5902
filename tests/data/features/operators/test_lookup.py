"""Values that TorchEasyRec's documents and tests state for lookup_feature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data.features.row_error import RowError
from raymon.data.values.hashing import bucket_ids, hash_values
from raymon.errors import ConfigError, DataError
from tests.data.features.made import built, made

MAPS = ["ca:1\x1dcb:2"] * 5 + ["", None]
KEYS = ["ca\x1dcb", "ca", "ca\x1dcd", "cd", "", "ca", ""]
DIM = "embedding_dim: 4"


def lookup(text: str) -> Any:
    block = f'feature_name: "f" map: "user:kv" key: "item:cate" {text}'
    return built(f"lookup_feature {{ {block} }}")[0]


def hashed(*texts: str) -> list[int]:
    return [int(bucket_ids(hash_values(pa.array([text])), 100)[0]) for text in texts]


@pytest.mark.parametrize(
    ("combiner", "values"),
    [
        ("sum", [3, 1, 1, 0, 0, 0, 0]),
        ("mean", [1.5, 1, 1, 0, 0, 0, 0]),
        ("min", [1, 1, 1, 0, 0, 0, 0]),
        ("max", [2, 1, 1, 0, 0, 0, 0]),
        ("count", [2, 1, 1, 0, 0, 0, 0]),
    ],
)
def test_numbers_of_several_keys_are_combined(combiner: str, values: list[float]) -> None:
    feature = lookup(f'combiner: "{combiner}"')
    assert made(feature, kv=MAPS, cate=KEYS) == values


def test_maps_and_lists_of_arrow_are_looked_up_as_strings_are() -> None:
    keys = [["ca", "cb"], ["ca"], ["ca", "cd"], ["cd"], [], ["ca"], None]
    maps = [{"ca": 1, "cb": 2}] * 5 + [{}, None]
    column = pa.array(
        [None if m is None else list(m.items()) for m in maps], pa.map_(pa.string(), pa.int64())
    )
    assert made(lookup(""), kv=column, cate=keys) == [3, 1, 1, 0, 0, 0, 0]
    # A slice begins in the middle of the memory of the whole.
    assert made(lookup(""), kv=column[2:], cate=pa.array(keys)[2:]) == [1, 0, 0, 0, 0]
    listed = [["ca:1", "cb:2"]] * 5 + [[], None]
    assert made(lookup(""), kv=listed, cate=keys) == [3, 1, 1, 0, 0, 0, 0]
    numbered = pa.array([[(7, 0.5), (8, 2)]], pa.map_(pa.int32(), pa.float32()))
    assert made(lookup(""), kv=numbered, cate=["8"]) == [2]
    assert made(lookup(""), kv=["7:0.5\x1d8:2"], cate=[7]) == [0.5]


def test_a_value_may_have_several_numbers() -> None:
    maps = ["ca:1,2\x1dcb:3,4"] * 3 + ["", "ca:1,2"]
    keys = ["ca", "cd", "", "ca", ""]
    feature = lookup('value_dim: 2 combiner: ""')
    assert made(feature, kv=maps, cate=keys) == [[1, 2]] + [[0, 0]] * 4
    with pytest.raises(RowError, match="'1' has 1 numbers; there must be 2") as error:
        made(feature, kv=["a:1,2", "a:1"], cate=["a", "a"])
    assert error.value.row == 1


@pytest.mark.parametrize(
    ("combiner", "ids"),
    [
        ("sum", [[4], [2], [2], [1], [1], [1], [1]]),
        ("mean", [[3], [2], [2], [1], [1], [1], [1]]),
        ("", [[2, 3], [2], [2], [1], [1], [1], [1]]),
    ],
)
def test_boundaries_divide_numbers_into_buckets(combiner: str, ids: list[list[int]]) -> None:
    text = f'boundaries: [-0.5, 0.5, 1.5, 2.5] {DIM} combiner: "{combiner}"'
    assert made(lookup(text), kv=MAPS, cate=KEYS) == ids


@pytest.mark.parametrize(
    ("default", "missing"), [("", []), ("0", [0])], ids=["no default", "default"]
)
def test_integers_may_be_ids(default: str, missing: list[int]) -> None:
    feature = lookup(f'num_buckets: 10 {DIM} default_value: "{default}"')
    assert made(feature, kv=MAPS, cate=KEYS) == [[1, 2], [1], [1]] + [missing] * 4


def test_texts_become_ids_by_their_hash_alone_or_with_their_key() -> None:
    maps = ["ca:x\x1dcb:y"] * 5 + ["", ""]
    size = f"hash_bucket_size: 100 {DIM}"
    x, y, z = hashed("x", "y", "z")
    ids = [[x, y], [x], [x]]
    assert made(lookup(f'{size} default_value: ""'), kv=maps, cate=KEYS) == ids + [[]] * 4
    assert made(lookup(f'{size} default_value: "z"'), kv=maps, cate=KEYS) == ids + [[z]] * 4
    one = lookup(f'{size} default_value: "" value_dim: 1')
    assert made(one, kv=maps, cate=KEYS) == [[x]] * 3 + [[]] * 4
    keyed = lookup(f'{size} default_value: "" need_key: true')
    assert made(keyed, kv=maps, cate=KEYS)[0] == hashed("ca_x", "cb_y")


def test_keys_may_have_a_fraction() -> None:
    maps = ["0.78:1\x1d7:2\x1d-1e-7:4", *["0.78:1\x1d7:2"] * 4]
    assert made(lookup(""), kv=maps, cate=[-1e-7, 0.78, 7.0, 0.5, None]) == [4, 1, 2, 0, 0]
    for kind in (pa.float32(), pa.float64()):
        keys = pa.array([[0.78, 7.0], [0.5], None, [], [7]], pa.list_(kind))
        assert made(lookup(""), kv=maps, cate=keys) == [3, 0, 0, 0, 2]
    arrow = pa.array([[(0.78, 3.0)], [(7.0, 5.0)]], pa.map_(pa.float32(), pa.float64()))
    assert made(lookup(""), kv=arrow, cate=["0.78", "7"]) == [3, 5]


def test_values_may_be_listed() -> None:
    feature = lookup(f'vocab_list: ["x", "y"] {DIM} default_value: "none"')
    assert made(feature, kv=["a:y\x1db:z", "a:x"], cate=["a\x1db", "c"]) == [[3, 1], [0]]


def test_numbers_are_normalized_and_defaults_are_not() -> None:
    text = 'normalizer: "method=log10,threshold=1e-10,default=-10" default_value: "7"'
    assert made(lookup(text), kv=["a:100", "a:0", "b:1"], cate=["a"] * 3) == [2, -10, 7]


def test_what_does_not_parse_is_told_with_its_row() -> None:
    with pytest.raises(RowError, match=r"columns kv and cate: 'cb' is no entry of a map") as error:
        made(lookup(""), kv=["ca:1", "ca:1\x1dcb"], cate=["ca", "ca"])
    assert error.value.row == 1
    with pytest.raises(RowError, match="'many' is no number") as error:
        made(lookup(""), kv=["a:1", "a:2", "a:many\x1db:3"], cate=["a", "a", "a"])
    assert error.value.row == 2
    with pytest.raises(DataError, match=r"1e\+30 is not exact"):
        made(lookup(""), kv=["a:1"], cate=[1e30])
    # A value that nobody looks up may be anything.
    assert made(lookup(""), kv=["a:1\x1db:many"], cate=["a"]) == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('combiner: "median"', '.combiner: "median" is no combiner; use one of sum, mean, min'),
        ('combiner: ""', '.combiner: is "", and a row may have several numbers; give boundaries'),
        (f"need_discrete: true {DIM}", "has no size of its table; give exactly one of"),
        (f"hash_bucket_size: 9 {DIM} value_dim: 2", ".value_dim: is 2; must be 1"),
        (DIM, ".embedding_dim: a lookup_feature has embeddings only with boundaries or a"),
        ('default_value: "x"', '.default_value: "x" is not a finite number'),
        ('separator: ""', ".separator: is empty"),
    ],
)
def test_a_wrong_field_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        lookup(text)
    assert str(error.value).startswith("feature_configs[0].lookup_feature")
    assert message in str(error.value)


ENTRIES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-9, 9)), max_size=4)


@settings(deadline=None)
@given(
    st.lists(st.tuples(ENTRIES, st.lists(st.sampled_from("abcd"), max_size=4)), min_size=1),
    st.sampled_from(["sum", "mean", "min", "max"]),
)
def test_all_rows_together_are_looked_up_as_one_after_the_other(
    rows: list[tuple[list[tuple[str, int]], list[str]]], combiner: str
) -> None:
    def one(entries: list[tuple[str, int]], keys: list[str]) -> float:
        first = dict(reversed(entries))
        values = [first[key] for key in keys if key in first]
        return float(getattr(np, combiner)(values)) if values else 0.0

    texts = ["\x1d".join(f"{k}:{v}" for k, v in entries) for entries, _ in rows]
    keys = ["\x1d".join(keys) for _, keys in rows]
    expected = np.float32([one(*row) for row in rows])
    assert made(lookup(f'combiner: "{combiner}"'), kv=texts, cate=keys) == expected.tolist()
