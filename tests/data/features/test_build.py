from __future__ import annotations

import datetime
import re

import numpy as np
import pyarrow as pa
import pytest
import torch
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import Feature, IdList, build_features
from raymon.data.input_counts import InputCounts
from raymon.data.values.hashing import hash_integers, hash_strings, key_ids
from raymon.errors import ConfigError, DataError
from raymon.protos import feature_pb2

ID = 'feature_name: "f" expression: "user:c" embedding_dim: 4 '
RAW = 'feature_name: "f" expression: "user:c" '


def features(*texts: str) -> list[Feature]:
    return build_features([text_format.Parse(t, feature_pb2.FeatureConfig()) for t in texts])


def id_feature(text: str) -> Feature:
    return features(f"id_feature {{ {ID} {text} }}")[0]


def raw_feature(text: str) -> Feature:
    return features(f"raw_feature {{ {RAW} {text} }}")[0]


def rows(ids: IdList | torch.Tensor, count: int) -> list[list[int]]:
    assert isinstance(ids, IdList)
    values = ids.values.tolist()
    if ids.offsets is None:
        assert len(values) == count
        return [[v] for v in values]
    ends = [*ids.offsets.tolist()[1:], len(values)]
    result = [values[a:b] for a, b in zip(ids.offsets.tolist(), ends, strict=True)]
    assert len(result) == count
    assert any(len(row) != 1 for row in result)
    return result


CELLS = st.lists(
    st.none() | st.lists(st.sampled_from(["a", "b", "longer than 8 bytes", ""]), max_size=4),
    max_size=12,
)


@settings(deadline=None)
@given(CELLS, st.sampled_from(["", "a", "zzz"]), st.sampled_from(["texts", "lists", "dictionary"]))
def test_ids_of_strings_follow_their_definition(
    cells: list[list[str] | None], default: str, form: str
) -> None:
    vocab = ["b", "a"]
    joined = [None if cell is None else "|".join(cell) for cell in cells]
    texts = pa.array(joined, pa.string())
    lists = pa.array(cells, pa.list_(pa.string()))
    column = {"texts": texts, "lists": lists, "dictionary": texts.dictionary_encode()}[form]
    tail = f'separator: "|" default_value: "{default}"'
    listed = id_feature(f'vocab_list: ["b", "a"] {tail}').convert(column)
    hashed = id_feature(f"hash_bucket_size: 97 {tail}").convert(column)

    def vocab_id(value: str) -> int:
        if value in vocab:
            return vocab.index(value) + 2
        return 0 if value == default else 1

    def hash_id(value: str) -> int:
        return int(hash_strings(pa.array([value]))[0]) % 97

    values = [[v for v in cell or [] if v] or [default] * (default != "") for cell in cells]
    assert rows(hashed, len(cells)) == [[hash_id(v) for v in row] for row in values]
    assert rows(listed, len(cells)) == [[vocab_id(v) for v in row] for row in values]


def test_integers_strings_and_dictionaries_of_the_same_ids_are_the_same() -> None:
    feature = id_feature('num_buckets: 10 default_value: "9"')
    expected = [[3], [9], [0]]
    texts = pa.array(["3", None, "0"])
    for column in (
        pa.array([3, None, 0], pa.int8()),
        pa.array([3, None, 0], pa.uint64()),
        texts,
        texts.cast(pa.large_string()),
        texts.dictionary_encode(),
        pa.chunked_array([texts.slice(0, 1), texts.slice(1)]),
    ):
        assert rows(feature.convert(column), 3) == expected


def test_integers_are_hashed_and_looked_up_as_integers() -> None:
    column = pa.array([7, None, 12])
    h7, h0, h12 = (int(h) % 50 for h in hash_integers(np.array([7, 0, 12])))
    hashed = id_feature('hash_bucket_size: 50 default_value: "0"').convert(column)
    assert rows(hashed, 3) == [[h7], [h0], [h12]]
    listed = id_feature('vocab_list: ["x", "12"]').convert(column)
    assert rows(listed, 3) == [[1], [], [3]]


def test_lists_of_integers_have_as_many_ids_as_elements() -> None:
    column = pa.array([[1, 2], None, [], [3, None]])
    assert rows(id_feature("num_buckets: 4").convert(column), 4) == [[1, 2], [], [], [3]]


def test_offsets_are_there_only_where_a_row_has_not_one_id() -> None:
    feature = id_feature("num_buckets: 4")
    one, none = feature.convert(pa.array([1, 2])), feature.convert(pa.array([1, None]))
    assert isinstance(one, IdList)
    assert isinstance(none, IdList)
    assert one.offsets is None
    assert none.offsets is not None
    assert none.offsets.tolist() == [0, 1]


def test_with_value_dim_1_a_separator_means_nothing() -> None:
    feature = id_feature('vocab_list: ["a|b"] separator: "|" value_dim: 1')
    assert rows(feature.convert(pa.array(["a|b", "a"])), 2) == [[2], [1]]
    assert not feature.accepts(pa.list_(pa.string()))


@pytest.mark.parametrize("default", ["", "3"])
@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 4, None, -1, 0]),
        pa.array(["1", "4", None, "-1", "0"]),
        pa.array(["1", "4", None, "-1", "0"]).dictionary_encode(),
    ],
)
def test_ids_out_of_range_are_unknown_and_counted(column: pa.Array, default: str) -> None:
    counts = InputCounts()
    feature = id_feature(f'num_buckets: 4 default_value: "{default}"')
    ids = feature.convert(column, counts=counts)
    unknown = int(default or 0)
    missing = [3] if default else []
    assert rows(ids, 5) == [[1], [unknown], missing, [unknown], [0]]
    assert counts.take() == {"ids_out_of_range.f": 2}
    assert counts.take() == {}


def test_an_id_of_the_dictionary_that_no_row_has_counts_nothing() -> None:
    counts = InputCounts()
    column = pa.array(["1", "9", "2"]).dictionary_encode()
    rest = pa.DictionaryArray.from_arrays(
        column.indices.filter([True, False, True]), column.dictionary
    )
    assert rows(id_feature("num_buckets: 4").convert(rest, counts=counts), 2) == [[1], [2]]
    assert counts.take() == {}


@pytest.mark.parametrize("encode", [False, True])
def test_a_text_that_is_no_integer_is_an_error(encode: bool) -> None:
    column = pa.array(["1", "x"])
    with pytest.raises(DataError, match="feature f, column c: value 'x' is not an integer"):
        id_feature("num_buckets: 4").convert(column.dictionary_encode() if encode else column)


def test_an_embedding_is_described_by_the_config() -> None:
    shared = id_feature('vocab_list: ["a", "b"] embedding_name: "t" pooling: "mean"').embedding
    assert shared is not None
    assert (shared.name, shared.num_embeddings, shared.dim, shared.pooling) == ("t", 4, 4, "mean")
    bucketed = raw_feature("boundaries: [0, 1] embedding_dim: 3").embedding
    assert bucketed is not None
    assert (bucketed.name, bucketed.num_embeddings, bucketed.dim) == ("f", 3, 3)
    assert raw_feature("value_dim: 2").embedding is None
    assert raw_feature("value_dim: 2").value_dim == 2


@pytest.mark.parametrize(
    "column",
    [pa.array([1, None, 3]), pa.array([1.0, None, 3.0]), pa.array([1, None, 3], pa.int8())],
)
def test_a_null_number_is_the_default_that_the_normalizer_leaves(column: pa.Array) -> None:
    feature = raw_feature('default_value: "99" normalizer: "method=expression,expr=log10(x+1)"')
    result = feature.convert(column)
    assert isinstance(result, torch.Tensor)
    assert result.dtype == torch.float32
    assert result.shape == (3, 1)
    np.testing.assert_allclose(result[:, 0], [*np.log10([2]), 99, *np.log10([4])], rtol=1e-6)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["1;2", None, "3; 4"]),
        pa.array([[1, 2], None, [3, 4]]),
        pa.array([[1, 2], None, [3, 4]], pa.list_(pa.float32(), 2)),
    ],
)
def test_several_numbers_a_row_come_from_strings_and_lists(column: pa.Array) -> None:
    feature = raw_feature('value_dim: 2 separator: ";" default_value: "7;8"')
    result = feature.convert(column)
    assert isinstance(result, torch.Tensor)
    assert result.tolist() == [[1, 2], [7, 8], [3, 4]]


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=1))
def test_buckets_are_closed_below_and_open_above(values: list[float]) -> None:
    feature = raw_feature("boundaries: [-1, 0, 2.5] embedding_dim: 2")
    expected = [[sum(value >= bound for bound in (-1, 0, 2.5))] for value in values]
    assert rows(feature.convert(pa.array(values)), len(values)) == expected


@pytest.mark.parametrize(
    ("config", "column", "message"),
    [
        ("", pa.array([1.0, float("nan")]), "value nan is not a finite number"),
        ("", pa.array([float("inf")]), "value inf is not a finite number"),
        ("", pa.array([1e300]), "value 1e+300 is not a finite number"),
        ('normalizer: "method=expression,expr=log(x)"', pa.array([-2.0]), "value of -2.0"),
        ('value_dim: 2 separator: ","', pa.array(["1,2,3"]), "['1', '2', '3'] has 3 numbers"),
        ('value_dim: 2 separator: ","', pa.array(["1,x"]), "x"),
        ("value_dim: 2", pa.array([[1.0, None]]), "value nan"),
    ],
)
def test_a_number_that_is_none_is_an_error(config: str, column: pa.Array, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)) as error:
        raw_feature(config).convert(column)
    assert str(error.value).startswith("feature f, column c: ")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([f"id_feature {{ {ID} }}"], "[0].id_feature: has no size of its table; give exactly one"),
        (
            [f'id_feature {{ {ID} num_buckets: 3 vocab_list: "a" }}'],
            "[0].id_feature: has num_buckets and vocab_list; give exactly one",
        ),
        ([f"id_feature {{ {ID} num_buckets: 0 }}"], "[0].id_feature.num_buckets: is 0"),
        ([f'id_feature {{ {ID} vocab_list: ["a", "a"] }}'], "[0].id_feature.vocab_list: "),
        (
            [f'id_feature {{ {ID} num_buckets: 3 pooling: "max" }}'],
            '[0].id_feature.pooling: "max" is not a pooling; use "sum" or "mean"',
        ),
        (
            [f'id_feature {{ {ID} num_buckets: 3 default_value: "3" }}'],
            '[0].id_feature.default_value: "3" is not',
        ),
        ([f'id_feature {{ {ID} num_buckets: 3 separator: "" }}'], "[0].id_feature.separator: "),
        (
            ['id_feature { feature_name: "f" expression: "c" embedding_dim: 4 num_buckets: 3 }'],
            '[0].id_feature.expression: "c" names no column; write "user:COLUMN"',
        ),
        (
            ['id_feature { feature_name: "" expression: "user:c" embedding_dim: 4 }'],
            "[0].id_feature.feature_name: is empty",
        ),
        (
            [f"id_feature {{ {ID} num_buckets: 3 }}", f"raw_feature {{ {RAW} }}"],
            '[1].raw_feature.feature_name: "f" is also the name of feature_configs[0].id_feature',
        ),
        (
            [
                'id_feature { feature_name: "g" expression: "user:c" embedding_dim: 4 '
                'num_buckets: 3 embedding_name: "f" }',
                f"id_feature {{ {ID} num_buckets: 4 }}",
            ],
            '[1].id_feature.embedding_name: table "f" is 4 x 4, trainable here, but 3 x 4, '
            "trainable in feature_configs[0].id_feature",
        ),
        (
            [f"raw_feature {{ {RAW} boundaries: 1 }}"],
            "[0].raw_feature.embedding_dim: must be given and at least 1",
        ),
        ([f"raw_feature {{ {RAW} init_fn: 'x' }}"], "[0].raw_feature.init_fn: "),
        ([f"raw_feature {{ {RAW} boundaries: [2, 1] }}"], "[0].raw_feature.boundaries: must be"),
        ([f"raw_feature {{ {RAW} value_dim: 0 }}"], "[0].raw_feature.value_dim: is 0"),
        ([f'raw_feature {{ {RAW} default_value: "x" }}'], '[0].raw_feature.default_value: "x"'),
        (
            [f'raw_feature {{ {RAW} normalizer: "method=log2" }}'],
            '[0].raw_feature.normalizer: "method=log2" is not a normalizer',
        ),
        ([""], "[0]: holds no feature; give it an id_feature, raw_feature, combo_feature"),
    ],
)
def test_a_wrong_feature_is_an_error_that_names_its_field(texts: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        features(*texts)
    assert str(error.value).startswith("feature_configs" + message)


def test_dates_are_their_text_and_times_are_no_ids() -> None:
    day = datetime.date(2024, 1, 31)
    feature = id_feature("hash_bucket_size: 1000")
    [[expected]] = rows(feature.convert(pa.array(["2024-01-31"])), 1)
    for column in (
        pa.array([day]),
        pa.array([day], pa.date64()),
        pa.array([day]).dictionary_encode(),
        pa.array([[day]], pa.list_(pa.date32())),
    ):
        assert feature.accepts(column.type)
        assert rows(feature.convert(column), 1) == [[expected]]
    for kind in (pa.timestamp("s"), pa.time32("s"), pa.duration("s")):
        assert not feature.accepts(kind)
        assert not feature.accepts(pa.list_(kind))
    assert (
        key_ids(pa.array([day, None])).tolist() == key_ids(pa.array(["2024-01-31", None])).tolist()
    )


def test_as_numbers_dates_are_days_and_times_are_seconds() -> None:
    number = raw_feature('default_value: "-5"')
    moment = datetime.datetime(1970, 1, 1, 0, 0, 2)
    for column, expected in (
        (pa.array([datetime.date(1970, 1, 4), None]), 3.0),
        (pa.array([datetime.date(1970, 1, 4), None], pa.date64()), 3.0),
        (pa.array([moment, None], pa.timestamp("s")), 2.0),
        (pa.array([moment, None], pa.timestamp("ns", "UTC")), 2.0),
        (pa.array([datetime.time(0, 1), None], pa.time32("ms")), 60.0),
    ):
        assert number.accepts(column.type)
        values = number.convert(column)
        assert isinstance(values, torch.Tensor)
        assert values.tolist() == [[expected], [-5.0]]


def test_weights_are_the_numbers_of_maps() -> None:
    feature = id_feature('vocab_list: ["a", "b"] default_value: "b" weighted: true')
    maps = [[("b", 0.5), ("", 9.0), ("c", 2.0)], None, [("a", 3.0)]]
    column = pa.array(maps, pa.map_(pa.string(), pa.float64()))
    assert feature.accepts(column.type)
    ids = feature.convert(column)
    assert isinstance(ids, IdList)
    assert ids.weights is not None
    assert rows(ids, 3) == [[3, 1], [3], [2]]
    assert ids.weights.tolist() == [0.5, 2.0, 1.0, 3.0]
    with pytest.raises(DataError, match="'b' has no finite number in its map"):
        feature.convert(pa.array([[("b", None)]], pa.map_(pa.string(), pa.float64())))
    assert not feature.accepts(pa.map_(pa.string(), pa.string()))
    assert not id_feature("num_buckets: 9").accepts(column.type)


@pytest.mark.parametrize(
    "column",
    [pa.array(["1.5", "", " -2 ", None]), pa.array([[1.5], [], [-2], None]),
     pa.array([["1.5"], None, ["-2"], []])],
    ids=["strings", "lists", "lists of strings"],
)  # fmt: skip
def test_numbers_may_be_spelled_or_in_lists(column: pa.Array) -> None:
    feature = raw_feature('default_value: "7" normalizer: "method=minmax,min=0,max=2"')
    assert feature.accepts(column.type)
    numbers = feature.convert(column)
    assert isinstance(numbers, torch.Tensor)
    assert numbers.tolist() == [[0.75], [7.0], [-1.0], [7.0]]
    with pytest.raises(DataError, match="a row must be null or a finite number"):
        feature.convert(pa.array(["1,5"]))


def test_of_several_values_the_first_may_be_taken() -> None:
    column = pa.array([[1, 2, 3], [4], None, [None, 5, 6, 7]])
    feature = id_feature('num_buckets: 9 value_dim: 2 default_value: "8"')
    assert rows(feature.convert(column), 4) == [[1, 2], [4], [8], [5, 6]]
    maps = pa.array([[(1, 0.5), (2, 2.0), (3, 9.0)]], pa.map_(pa.int64(), pa.float64()))
    ids = id_feature("num_buckets: 9 value_dim: 2 weighted: true").convert(maps)
    assert isinstance(ids, IdList)
    assert ids.weights is not None
    assert (ids.values.tolist(), ids.weights.tolist()) == ([1, 2], [0.5, 2.0])
