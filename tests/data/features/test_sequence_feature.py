"""Features of sequences: values that the tests of the vocabulary's project state."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from raymon.data import Positions, build_features
from raymon.data.features.encoding import Encoding
from raymon.data.features.sequence_feature import SequenceFeature
from raymon.errors import ConfigError, DataError
from raymon.protos.pipeline_pb2 import PipelineConfig

ID = 'feature_name: "id" expression: "user:x" embedding_dim: 4'
WIDE = 'default_value: "" value_dim: 2'
BUCKETS = "embedding_dim: 4 boundaries: [0.05, 0.15, 0.25]"
RAW = 'feature_name: "raw" expression: "user:x"'


def feature_of(text: str, *, encoded: bool = False, more: str = "") -> SequenceFeature:
    config = text_format.Parse(
        f"""train_input_path: "" model_dir: "" feature_configs {{ sequence_feature {{
        sequence_name: "seq" {more} features {{ {text} }} }} }}""",
        PipelineConfig(),
    )
    (feature,) = build_features(config.feature_configs, Encoding("\x03") if encoded else None)
    assert isinstance(feature, SequenceFeature)
    return feature


def parts(positions: Positions) -> tuple[list[object], list[int], list[int]]:
    """Returns the values, how many each position has, and how many positions each row."""
    if positions.numbers is not None:
        values = positions.numbers.double().numpy().round(4).tolist()
        return values, [1] * len(values), positions.lengths().tolist()
    ids = positions.ids
    assert ids is not None
    ends = [*(ids.offsets.tolist() if ids.offsets is not None else range(len(ids.values)))]
    lengths = np.diff([*ends, len(ids.values)]).tolist()
    return ids.values.tolist(), lengths, positions.lengths().tolist()


@pytest.mark.parametrize(
    ("rows", "default", "expected"),
    [
        (
            ["1;2", "", "3", "4\x035;6", None],
            "",
            ([1, 2, 3, 4, 5, 6], [1, 1, 1, 2, 1], [2, 0, 1, 2, 0]),
        ),
        (
            [[[1], [2]], [], [[3]], [[4, 5], [6]], None],
            "",
            ([1, 2, 3, 4, 5, 6], [1, 1, 1, 2, 1], [2, 0, 1, 2, 0]),
        ),
        ([[1, 2], [], [3], [4, 6], None], "", ([1, 2, 3, 4, 6], [1] * 5, [2, 0, 1, 2, 0])),
        (
            ["1;2", "", "3", "4\x035;6", None],
            "0",
            ([1, 2, 0, 3, 4, 5, 6, 0], [1, 1, 1, 1, 2, 1, 1], [2, 1, 1, 2, 1]),
        ),
        ([[1, 2], [], [3], [4, 6], None], "0", ([1, 2, 0, 3, 4, 6, 0], [1] * 7, [2, 1, 1, 2, 1])),
    ],
)
def test_encoded_sequences_have_the_ids_of_their_columns(
    rows: list[object], default: str, expected: object
) -> None:
    text = f'id_feature {{ {ID} num_buckets: 9 fg_encoded_default_value: "{default}" }}'
    feature = feature_of(text, encoded=True)
    assert feature.columns == ("seq__id",)
    assert parts(feature.positions(pa.array(rows))) == expected


@pytest.mark.parametrize(
    ("text", "rows", "expected"),
    [
        (
            f"id_feature {{ {ID} num_buckets: 10 }}",
            ["1;2", "", "3", "4;6"],
            ([1, 2, 0, 3, 4, 6], [1] * 6, [2, 1, 1, 2]),
        ),
        (
            f"id_feature {{ {ID} num_buckets: 10 }}",
            [[1, 2], [], [3], [4, 6]],
            ([1, 2, 0, 3, 4, 6], [1] * 6, [2, 1, 1, 2]),
        ),
        (
            f"id_feature {{ {ID} num_buckets: 10 value_dim: 0 }}",
            [["1", "2"], None, ["3"], ["4\x1d5", "6"]],
            ([1, 2, 0, 3, 4, 5, 6], [1, 1, 1, 1, 2, 1], [2, 1, 1, 2]),
        ),
        (
            f'id_feature {{ {ID} vocab_list: ["a", "b", "c"] default_value: "0" }}',
            ["c;;a;b;b;", "", "a;b;;c"],
            ([4, 0, 2, 3, 3, 0, 0, 2, 3, 0, 4], [1] * 11, [6, 1, 4]),
        ),
        (
            f'raw_feature {{ {RAW} default_value: "" }}',
            ["0.1;0.2", "", "0.3"],
            ([[0.1], [0.2], [0.3]], [1] * 3, [2, 0, 1]),
        ),
        (
            f'raw_feature {{ {RAW} default_value: "0.0" }}',
            ["0.1;0.2", "", "0.3"],
            ([[0.1], [0.2], [0.0], [0.3]], [1] * 4, [2, 1, 1]),
        ),
        (
            f"raw_feature {{ {RAW} {WIDE} }}",
            [[[0.1, 1.1], [0.2, 1.2]], None, [[0.3, 1.3]]],
            ([[0.1, 1.1], [0.2, 1.2], [0.3, 1.3]], [1] * 3, [2, 0, 1]),
        ),
        (
            f"raw_feature {{ {RAW} {WIDE} {BUCKETS} }}",
            ["0.1\x1d1.1;0.2\x1d1.2", "", "0.3\x1d1.3"],
            ([1, 3, 2, 3, 3, 3], [2, 2, 2], [2, 0, 1]),
        ),
    ],
)
def test_positions_are_made_as_rows_are(text: str, rows: list[object], expected: object) -> None:
    feature = feature_of(text)
    assert (feature.name[:5], feature.columns) == ("seq__", ("seq__x",))
    array = pa.array(rows)
    assert feature.accepts(array.type)
    assert parts(feature.positions(array)) == expected


def test_the_first_positions_are_kept() -> None:
    feature = feature_of(f"id_feature {{ {ID} num_buckets: 9 }}", more="sequence_length: 2")
    found = feature.positions(pa.array(["1;2;3", None, "4", "5;6;7;8"]))
    assert parts(found) == ([1, 2, 0, 4, 5, 6], [1] * 6, [2, 1, 1, 2])
    assert found.longest == 2


def test_columns_of_several_have_positions_by_their_side_or_where_they_are_listed() -> None:
    combo = 'combo_feature { feature_name: "c" hash_bucket_size: 9 embedding_dim: 2 '
    feature = feature_of(combo + 'expression: ["user:u", "item:i"] }')
    assert (feature.columns, feature.sequences) == (("u", "seq__i"), (False, True))
    listed = feature_of(combo + 'expression: ["user:u", "item:i"] sequence_fields: "u" }')
    assert (listed.columns, listed.sequences) == (("seq__u", "i"), (True, False))
    rows, positions = pa.array(["a", "b"]), pa.array([["x", "y"], ["x"]])
    one_by_one = feature_of(combo + 'expression: ["item:u", "item:i"] }')
    expected = one_by_one.positions(pa.array([["a", "a"], ["b"]]), positions)
    assert parts(feature.positions(rows, positions)) == parts(expected)
    with pytest.raises(DataError, match="has 1 positions in a row, seq__u 2; they must have"):
        one_by_one.positions(pa.array([["a", "a"]]), pa.array([["x"]]))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('sequence_delim: ""', r"feature_configs\[0\].sequence_feature.sequence_delim: is empty"),
        ("sequence_length: 0", r"sequence_feature.sequence_length: is 0; must be at least 1"),
    ],
)
def test_a_wrong_sequence_is_told(more: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        feature_of(f"raw_feature {{ {RAW} }}", more=more)


LISTS = st.lists(st.lists(st.integers(0, 8), max_size=4), max_size=6)


@given(LISTS, st.data())
def test_positions_are_cut_and_taken_as_their_rows(
    rows: list[list[int]], data: st.DataObject
) -> None:
    text = f'id_feature {{ {ID} num_buckets: 9 fg_encoded_default_value: "" }}'
    found = feature_of(text, encoded=True).positions(pa.array(rows, pa.list_(pa.int64())))
    begin = data.draw(st.integers(0, len(rows)))
    end = data.draw(st.integers(begin, len(rows)))
    taken = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=5)) if rows else []
    for part, expected in (
        (found.slice(begin, end), rows[begin:end]),
        (found.take(np.array(taken, np.int64)), [rows[index] for index in taken]),
    ):
        assert part.lengths().tolist() == list(map(len, expected))
        assert part.longest == max(map(len, expected), default=0)
        assert part.ids is not None
        assert part.ids.values.tolist() == [value for row in expected for value in row]
