"""Operators with names, held against definitions written out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.errors import ConfigError
from tests.data.features.made import built, made

UTF_8 = 'operator_params { fields { key: "encoding" value { string_value: "utf-8" } } }'


def edits(text: str = "") -> Any:
    block = f'feature_name: "f" operator_name: "EditDistance" {text}'
    if "expression" not in text:
        block += ' expression: ["user:query", "item:title"]'
    return built(f"custom_feature {{ {block} }}")[0]


def levenshtein(first: str, second: str) -> int:
    """The recursive definition, over beginnings of the texts."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        above, row = row, [i]
        for j, right in enumerate(second, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (left != right)))
    return row[-1]


def test_known_distances() -> None:
    first = ["kitten", "saturday", "", "same", "a"]
    second = ["sitting", "sunday", "abc", "same", ""]
    assert made(edits(), query=first, title=second) == [3, 3, 3, 0, 1]


TEXTS = st.text("abé中", max_size=7)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=9))
def test_the_distance_is_that_of_the_definition(pairs: list[tuple[str, str]]) -> None:
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    expected = [levenshtein(*pair) for pair in pairs]
    assert made(edits(UTF_8), query=first, title=second) == expected
    in_bytes = [levenshtein(*(text.encode().decode("latin-1") for text in pair)) for pair in pairs]
    assert made(edits(), query=first, title=second) == in_bytes


def test_a_missing_text_has_the_default() -> None:
    found = made(edits('default_value: "9"'), query=["a", None, None], title=["b", "b", None])
    assert found == [1, 9, 9]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('expression: "user:query"', r"custom_feature\.expression: must name two columns, not 1"),
        (
            UTF_8.replace("utf-8", "gbk"),
            r'operator_params: encoding is "gbk"; must be utf-8 or latin',
        ),
        (UTF_8.replace("encoding", "code"), r'"code" is no parameter of EditDistance'),
    ],
)
def test_a_wrong_block_is_reported_by_its_field(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        edits(text)


def test_another_operator_is_refused_by_name() -> None:
    block = 'feature_name: "f" operator_name: "SeqExpr" expression: ["user:a", "item:b"]'
    with pytest.raises(ConfigError, match='does not have the operator "SeqExpr" yet; it has Edit'):
        built(f"custom_feature {{ {block} }}")
