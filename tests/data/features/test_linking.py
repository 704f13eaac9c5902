"""Features may be made of other features; those that are only made for others are no inputs."""

from __future__ import annotations

import pyarrow as pa
import pytest

from raymon.data.features.encoding import Encoding
from raymon.data.features.row_error import RowError
from raymon.errors import ConfigError
from tests.data.features.made import built, made

AGE = """raw_feature { feature_name: "age" expression: "user:age" boundaries: [18, 40]
  stub_type: true }"""
COUNT = """lookup_feature { feature_name: "count" map: "user:counts" key: "feature:age"
  default_value: "-1" }"""


def test_a_feature_gets_the_buckets_of_another_which_is_no_input_itself() -> None:
    (feature,) = built(COUNT, AGE)
    assert feature.name == "count"
    assert feature.columns == ("counts", "age")
    counts = ["0:5\x1d1:6\x1d2:7"] * 3 + [""]
    assert made(feature, counts=counts, age=[12.0, 30.0, 99.0, 30.0]) == [5, 6, 7, -1]


def test_features_of_features_of_features_and_constants_are_made() -> None:
    crossed = """combo_feature { feature_name: "crossed" expression: ["user:a", "const:x"]
      stub_type: true }"""
    again = """combo_feature { feature_name: "again" expression: ["feature:crossed", "item:b"]
      vocab_list: ["1_x_9", "2_x_9"] embedding_dim: 4 }"""
    (feature,) = built(again, crossed)
    assert feature.columns == ("a", "b")
    assert made(feature, a=[1, 2, 3], b=[9, 9, 9]) == [[2], [3], [1]]


def test_stubs_without_a_table_are_the_values_themselves() -> None:
    tags = (
        'id_feature { feature_name: "tags" expression: "user:tags" separator: "|" stub_type: true }'
    )
    listed = """id_feature { feature_name: "listed" expression: "feature:tags"
      vocab_list: ["a", "b"] embedding_dim: 4 }"""
    (feature,) = built(tags, listed)
    assert made(feature, tags=["a|b", "b", None]) == [[2, 3], [3], []]
    assert feature.uses[0].accepts(pa.string())


def test_a_message_names_the_feature_that_another_is_made_of() -> None:
    (feature,) = built(COUNT, AGE)
    with pytest.raises(RowError, match="feature count, columns counts and feature:age: 'x' is no"):
        made(feature, counts=["x"], age=[30.0])


def test_a_feature_for_others_may_be_an_input_too() -> None:
    features = built(COUNT, AGE.replace("stub_type: true", "embedding_dim: 4"))
    assert [feature.name for feature in features] == ["count", "age"]


def test_columns_that_hold_ids_already_need_no_stubs() -> None:
    (feature,) = built(COUNT, AGE, encoding=Encoding())
    assert feature.columns == ("count",)
    assert made(feature, count=[1.5, None]) == [1.5, -1]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            [COUNT],
            'feature_configs[0].lookup_feature: is made of "feature:age", and there is no such',
        ),
        (
            [COUNT, AGE.replace("user:age", "feature:count")],
            'features are made in a circle: "count" of "age" of "count"',
        ),
        (
            [COUNT.replace("user:counts", "feature:age"), AGE],
            '"feature:age" is int64; it is made from strings of "KEY:VALUE"',
        ),
        (
            ['raw_feature { feature_name: "r" expression: "const:1" }'],
            "is made of constants alone; name a column",
        ),
    ],
)
def test_what_a_feature_cannot_be_made_of_is_told(blocks: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        built(*blocks)
    assert message in str(error.value)
