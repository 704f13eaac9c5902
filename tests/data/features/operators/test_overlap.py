"""Values that TorchEasyRec's documents and tests state for overlap_feature."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.errors import ConfigError
from tests.data.features.made import built, made


def overlap(method: str, more: str = "") -> Any:
    block = f'feature_name: "f" query: "user:q" title: "item:t" method: "{method}" {more}'
    return built(f"overlap_feature {{ {block} }}")[0]


@pytest.mark.parametrize(
    ("method", "queries", "titles", "values"),
    [
        (
            "query_common_ratio",
            ["abc\x1defg", "abc\x1defg", "", None],
            ["abc\x1dqwe\x1drty\x1duio", "abc\x1defg\x1drty", "", None],
            [0.5, 1, 0, 0],
        ),
        (
            "query_common_ratio",
            [["abc", "defg"], ["abc", "efg"], [], None],
            [["abc", "qwe", "rty", "uio"], ["abc", "efg", "rty"], [], None],
            [0.5, 1, 0, 0],
        ),
        (
            "title_common_ratio",
            ["abc\x1defg", "abc\x1defg", "", None],
            ["abc\x1dqwe\x1drty\x1duio", "abc", "", None],
            [0.25, 1, 0, 0],
        ),
        (
            "is_contain",
            ["abc\x1defg", "abc\x1defg", "", None],
            ["abc\x1dqwe\x1drty\x1duio", "abc\x1defg\x1drty", "", None],
            [0, 1, 0, 0],
        ),
        (
            "is_equal",
            ["abc\x1defg", "abc\x1defg", "", None],
            ["abc\x1defg\x1drty", "abc\x1defg", "", None],
            [0, 1, 0, 0],
        ),
    ],
)
def test_terms_are_compared(method: str, queries: Any, titles: Any, values: list[float]) -> None:
    assert made(overlap(method), q=queries, t=titles) == values


METHODS = {
    "is_equal": 0.0,
    "is_contain": 1.0,
    "index_of": 1.0,
    "query_common_ratio": 1.0,
    "title_common_ratio": 0.5,
    "proximity_min_dist": 1.0,
    "proximity_max_dist": 1.0,
    "proximity_avg_dist": 1.0,
    "proximity_min_cover": 2.0,
}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_its_value(method: str) -> None:
    columns = {"q": [["b", "c"]], "t": [["a", "b", "c", "d"]]}
    assert made(overlap(method), **columns) == [METHODS[method]]


def test_boundaries_divide_numbers_into_buckets() -> None:
    feature = overlap("query_common_ratio", "boundaries: [0.25, 0.75] embedding_dim: 4")
    queries = ["abc\x1defg", "abc\x1defg", "", None]
    titles = ["abc\x1dqwe\x1drty\x1duio", "abc\x1defg\x1drty", "", None]
    assert made(feature, q=queries, t=titles) == [[1], [2], [0], [0]]


def test_an_unknown_method_is_told() -> None:
    with pytest.raises(
        ConfigError, match=r'overlap_feature\.method: "is_common" is no method; use'
    ):
        overlap("is_common")


def one(method: str, query: list[str], title: list[str]) -> float:
    """The number of one row, by its definition."""
    begins = [i for i in range(len(title)) if title[i : i + len(query)] == query and query]
    matched = [i for i, term in enumerate(query) if term in title]
    if method == "index_of":
        return float(begins[0]) if begins else -1.0
    if method == "is_contain":
        return float(bool(begins))
    if method == "is_equal":
        return float(query == title and bool(query))
    if method == "query_common_ratio":
        return len(matched) / max(len(query), 1)
    if method == "title_common_ratio":
        return sum(term in query for term in title) / max(len(title), 1)
    if method == "proximity_min_cover":
        covers = [
            b - a
            for a, b in itertools.combinations(range(len(title) + 1), 2)
            if query and set(query) <= set(title[a:b])
        ]
        return float(min(covers, default=0))
    if not matched:
        return len(title) + 1.0
    distances = [
        min(abs(x - y) for x, s in enumerate(title) if s == query[i] for y, t in enumerate(title)
            if t == query[j])
        for i, j in itertools.combinations(matched, 2)
    ]  # fmt: skip
    if not distances:
        return float(len(title))
    of = {"proximity_min_dist": np.min, "proximity_max_dist": np.max}.get(method, np.mean)
    return float(of(distances))


TERMS = st.lists(st.sampled_from("abc"), max_size=5)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(TERMS, TERMS), min_size=1, max_size=6), st.sampled_from([*METHODS]))
def test_all_rows_together_are_as_one_after_the_other(
    rows: list[tuple[list[str], list[str]]], method: str
) -> None:
    queries, titles = zip(*rows, strict=True)
    found = made(
        overlap(method), q=["\x1d".join(q) for q in queries], t=["\x1d".join(t) for t in titles]
    )
    assert found == pytest.approx([one(method, *row) for row in rows], abs=1e-6)
