"""Columns that hold ids and numbers already."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from google.protobuf import text_format

from raymon.data import Feature, IdList, build_features
from raymon.data.features.encoding import Encoding
from raymon.errors import ConfigError, DataError
from raymon.protos import feature_pb2
from tests.data.features.test_build import rows

SIZES = [
    "hash_bucket_size: 6",
    "num_buckets: 6",
    'vocab_list: ["a", "b", "c", "d"]',
    'vocab_dict { key: "a" value: 5 }',
]


def encoded(text: str, separator: str = "\x03") -> Feature:
    config = text_format.Parse(text, feature_pb2.FeatureConfig())
    return build_features([config], Encoding(separator))[0]


def encoded_ids(text: str) -> Feature:
    return encoded(f'id_feature {{ feature_name: "f" embedding_dim: 2 {text} }}')


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "column",
    [
        pa.array([3, None, 0, 5]),
        pa.array([3.0, float("nan"), 0.0, 5.0]),
        pa.array(["3", "", "0", "5"]),
        pa.array(["003", None, "0", "5"]).dictionary_encode(),
        pa.array([[3], [], [0], [5]]),
    ],
)
def test_id_3_is_row_3_however_the_table_is_sized(size: str, column: pa.Array) -> None:
    feature = encoded_ids(f'expression: "user:other" {size}')
    assert feature.columns == ("f",)
    assert feature.embedding is not None
    assert feature.embedding.num_embeddings == 6
    assert feature.accepts(column.type)
    assert rows(feature.convert(column), 4) == [[3], [], [0], [5]]


def test_several_ids_weights_and_what_a_null_is() -> None:
    plain = encoded_ids('num_buckets: 9 fg_encoded_default_value: "7\x038"')
    texts = pa.array(["1\x032", None, "", "3"])
    assert rows(plain.convert(texts), 4) == [[1, 2], [7, 8], [7, 8], [3]]
    assert rows(plain.convert(pa.array([[1, 2], None, [], [3]])), 4) == [
        [1, 2],
        [7, 8],
        [7, 8],
        [3],
    ]
    weighted = encoded_ids('num_buckets: 9 weighted: true fg_encoded_default_value: "4"')
    ids = weighted.convert(pa.array(["1:0.5\x032:2", None]))
    assert isinstance(ids, IdList)
    assert rows(ids, 2) == [[1, 2], [4]]
    assert ids.weights is not None
    assert ids.weights.tolist() == [0.5, 2.0, 1.0]
    assert not weighted.accepts(pa.int64())
    crossed = encoded('combo_feature { feature_name: "f" embedding_dim: 2 hash_bucket_size: 9 }')
    assert rows(crossed.convert(pa.array([8, 1])), 2) == [[8], [1]]


def test_numbers_are_as_they_are() -> None:
    one = encoded(
        'raw_feature { feature_name: "f" normalizer: "method=log10" '
        'fg_encoded_default_value: "-1" }'
    )
    for column in (pa.array([2, None]), pa.array(["2", ""]), pa.array([[2.0], []])):
        assert one.accepts(column.type)
        values = one.convert(column)
        assert isinstance(values, torch.Tensor)
        assert values.tolist() == [[2.0], [-1.0]]
        out = np.empty(2, np.float32)
        assert one.convert_into(out, column) is None
        assert out.tolist() == [2.0, -1.0]
    two = encoded('raw_feature { feature_name: "f" value_dim: 2 default_value: "5" }', ";")
    values = two.convert(pa.array(["1;2", None]))
    assert isinstance(values, torch.Tensor)
    assert values.tolist() == [[1.0, 2.0], [5.0, 5.0]]
    bucket = encoded('raw_feature { feature_name: "f" boundaries: [1, 2] embedding_dim: 2 }')
    assert rows(bucket.convert(pa.array([2, None, 0])), 3) == [[2], [], [0]]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1, 6]), r"6 is not in \[0, 6\), the ids of its table of 6 rows"),
        (pa.array(["1", "-1"]), r"-1 is not in \[0, 6\)"),
        (pa.array(["ios"]), "'ios' is not an integer"),
        (pa.array([0.5]), "0.5 is not whole"),
    ],
)
def test_what_is_no_id_is_refused_with_the_remedy(column: pa.Array, message: str) -> None:
    remedy = r"columns hold encoded ids \(fg_mode FG_NONE\); .* set data_config.fg_mode: FG_DAG"
    with pytest.raises(DataError, match=f"feature f, column f: value {message}.*{remedy}"):
        encoded_ids("num_buckets: 6").convert(column)


def test_a_wrong_default_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r'fg_encoded_default_value: "9" is no id in \[0, 9\)'):
        encoded_ids('num_buckets: 9 fg_encoded_default_value: "9"')


def test_weights_may_come_as_maps() -> None:
    text = (
        'id_feature { feature_name: "f" embedding_dim: 2 num_buckets: 9 weighted: true '
        'fg_encoded_default_value: "7" }'
    )
    (feature,) = build_features([text_format.Parse(text, feature_pb2.FeatureConfig())], Encoding())
    maps: list[list[tuple[int, float]] | None] = [[(1, 0.5), (3, 2.0)], None, [], [(4, 1.5)]]
    numbers = pa.array(maps, pa.map_(pa.int64(), pa.float32()))
    for column in (numbers, numbers.cast(pa.map_(pa.string(), pa.float32()))):
        assert feature.accepts(column.type)
        for sliced, dropped in ((column, 0), (column[1:], 2)):
            ids = feature.convert(sliced)
            assert isinstance(ids, IdList)
            assert ids.weights is not None
            assert ids.values.tolist() == [1, 3, 7, 7, 4][dropped:]
            assert ids.weights.tolist() == [0.5, 2.0, 1.0, 1.0, 1.5][dropped:]
