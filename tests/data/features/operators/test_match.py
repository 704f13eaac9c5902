"""Values that TorchEasyRec's documents and tests state for match_feature."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data.features.row_error import RowError
from raymon.data.values.hashing import bucket_ids, hash_values
from raymon.errors import ConfigError
from tests.data.features.made import built, made

MAPS = ["ca^ba:1,bb:2|cb^ba:3,bb:4"] * 3 + ["", ""]
COLUMNS = {"kkv": MAPS, "cate": ["ca", "ca", "", "ca", None], "brand": ["ba", "", "", "ba", None]}
DIM = "embedding_dim: 4"


def match(text: str, pkey: str = "item:cate", skey: str = "item:brand") -> Any:
    block = f'feature_name: "f" nested_map: "user:kkv" pkey: "{pkey}" skey: "{skey}" {text}'
    return built(f"match_feature {{ {block} }}")[0]


def hashed(*texts: str) -> list[int]:
    return [int(bucket_ids(hash_values(pa.array([text])), 100)[0]) for text in texts]


def test_a_number_is_found_by_two_keys() -> None:
    assert made(match(""), **COLUMNS) == [1, 0, 0, 0, 0]
    numbers = {"kkv": ["1^2:5"], "cate": [1], "brand": [2]}
    assert made(match(""), **numbers) == [5]


def test_keys_may_have_a_fraction() -> None:
    numbers = {"kkv": ["0.5^2:5,2.25:7"] * 3, "cate": [0.5, 0.5, 0.25], "brand": [2.0, 2.25, 2.0]}
    assert made(match(""), **numbers) == [5, 7, 0]


def test_boundaries_divide_numbers_into_buckets() -> None:
    bounds = f"boundaries: [-0.5, 0.5, 1.5, 2.5] {DIM}"
    assert made(match(bounds), **COLUMNS) == [[2], [1], [1], [1], [1]]
    assert made(match(f'{bounds} default_value: ""'), **COLUMNS) == [[2], [], [], [], []]


def test_values_become_ids() -> None:
    assert made(match(f'num_buckets: 9 {DIM} default_value: ""'), **COLUMNS)[:2] == [[1], []]
    size = f'hash_bucket_size: 100 {DIM} default_value: "z"'
    one, missing = hashed("1"), hashed("z")
    assert made(match(size), **COLUMNS) == [one] + [missing] * 4


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("show_pkey: true", "ca_1"),
        ("show_skey: true", "ba_1"),
        ("show_pkey: true show_skey: true", "ca_ba_1"),
    ],
)
def test_ids_may_be_those_of_keys_and_values(shown: str, text: str) -> None:
    feature = match(f'hash_bucket_size: 100 {DIM} default_value: "" {shown}')
    assert made(feature, **COLUMNS)[0] == hashed(text)


def test_all_keys_are_taken_where_the_config_says_so() -> None:
    bounds = f'boundaries: [1, 2, 3, 4] {DIM} default_value: ""'
    every_outer = match(bounds, pkey="ALL")
    assert every_outer.columns == ("kkv", "brand")
    assert made(every_outer, kkv=MAPS[:2], brand=["bb", "x"]) == [[2, 4], []]
    every_inner = match(bounds, skey="ALL")
    assert made(every_inner, kkv=MAPS[:2], cate=["cb", None]) == [[3, 4], []]
    assert made(match("", skey="ALL"), kkv=MAPS[:1], cate=["cb"]) == [7]
    first = match(f'num_buckets: 9 {DIM} default_value: "" value_dim: 1', skey="ALL")
    assert made(first, kkv=MAPS[:2], cate=["cb", "ca"]) == [[3], [1]]
    with pytest.raises(ConfigError, match=r'skey: is "ALL" beside pkey: "ALL"'):
        match("", pkey="ALL", skey="ALL")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("ca:1", r"'ca:1' is no entry of a map; write KEY\^VALUE"),
        ("ca^ba", "'ba' is no entry of a map; write KEY:VALUE"),
        ("ca^ba:many", "'many' is no number"),
    ],
)
def test_a_map_that_does_not_parse_is_told(wrong: str, message: str) -> None:
    columns = {"kkv": ["ca^ba:1", wrong], "cate": ["ca"] * 2, "brand": ["ba"] * 2}
    with pytest.raises(RowError, match=message):
        made(match(""), **columns)


MAP_OF_MAPS = st.dictionaries(
    st.sampled_from("pq"), st.dictionaries(st.sampled_from("st"), st.integers(0, 9), min_size=1)
)
KEYS = st.lists(st.sampled_from("pqst"), max_size=3)


@settings(deadline=None)
@given(st.lists(st.tuples(MAP_OF_MAPS, KEYS, KEYS), min_size=1, max_size=6))
def test_all_rows_together_are_matched_as_one_after_the_other(
    rows: list[tuple[dict[str, dict[str, int]], list[str], list[str]]],
) -> None:
    texts = [
        "|".join(f"{p}^" + ",".join(f"{s}:{v}" for s, v in m.items()) for p, m in outer.items())
        for outer, _, _ in rows
    ]
    expected = [
        [m[s] for p in ps for q, m in outer.items() if q == p for s in ss if s in m]
        for outer, ps, ss in rows
    ]
    feature = match(f'num_buckets: 10 {DIM} default_value: "" separator: "|"')
    columns = {
        "cate": ["|".join(ps) for _, ps, _ in rows],
        "brand": ["|".join(s) for *_, s in rows],
    }
    assert made(feature, kkv=texts, **columns) == expected
