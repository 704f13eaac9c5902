"""With FG_BUCKETIZE a column holds the values that a feature has before they become ids."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
import torch
from google.protobuf import text_format

from raymon.data import Feature, pipeline_features
from raymon.errors import ConfigError
from raymon.protos.pipeline_pb2 import PipelineConfig
from tests.data.features.test_build import rows


def feature(text: str, mode: str, more: str = "") -> Feature:
    config = f"data_config {{ fg_mode: {mode} {more} }} feature_configs {{ {text} }}"
    return pipeline_features(text_format.Parse(config, PipelineConfig()))[0]


ID = 'id_feature { feature_name: "f" expression: "user:c" embedding_dim: 4 default_value: "3" '
COMBO = (
    'combo_feature { feature_name: "f" expression: ["user:a", "item:b"] embedding_dim: 4 '
    'vocab_list: ["x_1", "y_2"] }'
)
RAW = 'raw_feature { feature_name: "f" expression: "user:c" '


@pytest.mark.parametrize(
    "ids",
    ["hash_bucket_size: 1000", "num_buckets: 9", 'vocab_list: ["5", "3"]',
     'vocab_dict { key: "5" value: 2 }', 'vocab_list: ["3", "5"] default_bucketize_value: 1'],
)  # fmt: skip
@pytest.mark.parametrize("form", ["strings", "lists of strings", "lists of numbers"])
def test_values_become_the_ids_that_they_become_otherwise(ids: str, form: str) -> None:
    lists = [[5, 3], None, [7]]
    between = {"raw": "\x1d", "bucketized": "\x03"}
    columns = {}
    for name, separator in between.items():
        texts = [None if cell is None else [str(value) for value in cell] for cell in lists]
        joined = pa.array([None if cell is None else separator.join(cell) for cell in texts])
        columns[name] = {"strings": joined, "lists of strings": pa.array(texts)}.get(
            form, pa.array(lists)
        )
    raw = feature(f"{ID} {ids} }}", "FG_DAG").convert(columns["raw"])
    made = feature(f"{ID} {ids} }}", "FG_BUCKETIZE")
    assert made.columns == ("f",)
    assert rows(made.convert(columns["bucketized"]), 3) == rows(raw, 3)


def test_the_separator_is_that_of_the_data() -> None:
    made = feature(
        f"{ID} num_buckets: 9 value_dim: 1 }}", "FG_BUCKETIZE", 'fg_encoded_multival_sep: "|"'
    )
    assert rows(made.convert(pa.array(["1|2", "4", ""])), 3) == [[1, 2], [4], [3]]


def test_a_combination_is_one_value_of_one_column() -> None:
    crossed = feature(COMBO, "FG_DAG").convert(pa.array(["x", "y", "y"]), pa.array([1, 2, 1]))
    made = feature(COMBO, "FG_BUCKETIZE")
    assert made.columns == ("f",)
    ids = made.convert(pa.array(["x_1", "y_2", "y_1"]))
    assert not isinstance(ids, torch.Tensor)
    assert not isinstance(crossed, torch.Tensor)
    assert ids.values.tolist() == crossed.values.tolist() == [2, 3, 1]


def test_numbers_are_normalized_already_and_fall_into_buckets_yet() -> None:
    text = f'{RAW} normalizer: "method=log10" embedding_dim: 2 boundaries: [0, 1, 2] }}'
    numbers = [0.5, 10.0, 1000.0]
    raw = feature(text, "FG_DAG").convert(pa.array(numbers))
    made = feature(text, "FG_BUCKETIZE").convert(pa.array([math.log10(x) for x in numbers]))
    assert not isinstance(raw, torch.Tensor)
    assert not isinstance(made, torch.Tensor)
    assert made.values.tolist() == raw.values.tolist() == [0, 2, 3]


@pytest.mark.parametrize(
    "column", [pa.array(["1\x032", "3\x034"]), pa.array([[1, 2], [3, 4]])], ids=["strings", "lists"]
)
def test_several_numbers_of_a_row_stay_as_they_are(column: pa.Array) -> None:
    made = feature(f'{RAW} value_dim: 2 normalizer: "method=log10" }}', "FG_BUCKETIZE")
    numbers = made.convert(column)
    assert isinstance(numbers, torch.Tensor)
    assert numbers.tolist() == [[1, 2], [3, 4]]


def test_an_error_has_the_place_of_the_block() -> None:
    with pytest.raises(ConfigError, match=r"^feature_configs\[0\].combo_feature.pooling: "):
        feature(COMBO.replace("vocab_list", 'pooling: "max" vocab_list'), "FG_BUCKETIZE")


@pytest.mark.parametrize(
    ("more", "is_ids"),
    [("hash_bucket_size: 9", True), ("boundaries: [1, 2]", True), ("", False)],
)
def test_what_was_looked_up_becomes_ids_or_stays_a_number(more: str, is_ids: bool) -> None:
    text = (
        'lookup_feature { feature_name: "f" map: "user:m" key: "item:k" embedding_dim: 4 '
        f'normalizer: "method=log10" {more} }}'
    )
    made = feature(text, "FG_BUCKETIZE")
    assert (made.columns, made.is_sparse) == (("f",), is_ids)
    numbers = made.convert(pa.array([1.0, 3.0]))
    if isinstance(numbers, torch.Tensor):
        assert numbers.tolist() == [[1.0], [3.0]]
