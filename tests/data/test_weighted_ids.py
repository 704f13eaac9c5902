from __future__ import annotations

import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import IdList
from raymon.data.reading.joined_ids import Cuts, join_ids, joined_nbytes
from raymon.data.values.hashing import hash_strings
from raymon.embeddings import EmbeddingTable
from raymon.errors import ConfigError, DataError
from tests.data.features.test_build import id_feature, rows

WEIGHTS = st.integers(-8, 8).map(lambda eighths: eighths / 8)
CELL = st.none() | st.lists(
    st.tuples(st.sampled_from(["a", "b:c", "longer text"]), WEIGHTS), max_size=3
)


def weights_by_row(ids: IdList, count: int) -> list[list[float]]:
    assert ids.weights is not None
    begins = list(range(count)) if ids.offsets is None else ids.offsets.tolist()
    ends = [*begins[1:], len(ids.values)]
    return [ids.weights[a:b].tolist() for a, b in zip(begins, ends, strict=True)] if count else []


@settings(deadline=None)
@given(
    st.lists(CELL, max_size=9),
    st.sampled_from(["texts", "lists", "dictionary"]),
    st.sampled_from(["", "a"]),
)
def test_every_value_has_the_weight_behind_its_last_colon(
    cells: list[list[tuple[str, float]] | None], form: str, default: str
) -> None:
    spelled = [None if c is None else [f"{value}:{weight}" for value, weight in c] for c in cells]
    texts = pa.array([None if c is None else "|".join(c) for c in spelled], pa.string())
    lists = pa.array(spelled, pa.list_(pa.string()))
    column = {"texts": texts, "lists": lists, "dictionary": texts.dictionary_encode()}[form]
    tail = f'hash_bucket_size: 97 weighted: true separator: "|" default_value: "{default}"'
    ids = id_feature(tail).convert(column)
    pairs = [cell or ([(default, 1.0)] if default else []) for cell in cells]
    hashes = [[int(hash_strings(pa.array([v]))[0]) % 97 for v, _ in row] for row in pairs]
    assert rows(ids, len(cells)) == hashes
    assert weights_by_row(ids, len(cells)) == [[weight for _, weight in row] for row in pairs]


def test_embeddings_are_multiplied_by_the_weights() -> None:
    table = EmbeddingTable(5, 3, trainable=True)
    feature = id_feature('num_buckets: 5 weighted: true separator: "|"')
    ids = feature.convert(pa.array(["1:0.5|2:-2", None, "4:3"]))
    assert isinstance(ids, IdList)
    rows_of = table.weight
    expected = torch.stack([0.5 * rows_of[1] - 2 * rows_of[2], torch.zeros(3), 3 * rows_of[4]])
    torch.testing.assert_close(table(ids, "sum"), expected)
    single = feature.convert(pa.array(["1:2", "0:1"]))
    assert isinstance(single, IdList)
    assert single.offsets is None
    torch.testing.assert_close(table(single, "sum"), torch.stack([2 * rows_of[1], rows_of[0]]))


def test_weights_go_where_their_ids_go() -> None:
    feature = id_feature('num_buckets: 9 weighted: true separator: "|"')
    first = feature.convert(pa.array(["1:1|2:2", "3:3"]))
    second = IdList(torch.tensor([7, 8]))
    parts = [first, second]
    joined = join_ids(parts, Cuts(torch.empty(joined_nbytes(parts), dtype=torch.uint8), 0).cut)
    assert joined.weights is not None
    assert joined.values.tolist() == [1, 2, 3, 7, 8]
    assert joined.weights.tolist() == [1, 2, 3, 1, 1]
    cut = joined.slice(1, 3)
    assert cut.weights is not None
    assert (cut.values.tolist(), cut.weights.tolist()) == ([3, 7], [3, 1])
    moved = joined.to(torch.device("cpu"))
    assert moved.weights is not None


@pytest.mark.parametrize("text", ["1", "1:", "1:x", "1:nan", "1:inf", ":1", ":", "a:1_0"])
def test_a_value_without_a_weight_is_an_error(text: str) -> None:
    feature = id_feature('num_buckets: 5 weighted: true separator: "|"')
    with pytest.raises(DataError, match=f"feature f, column c: value '{text}' is not VALUE:WEIGHT"):
        feature.convert(pa.array(["2:1|3:1", text]))


def test_blanks_around_a_weight_are_none_of_it() -> None:
    feature = id_feature('num_buckets: 5 weighted: true separator: "|"')
    ids = feature.convert(pa.array(["1: 0.5|2:2 "]))
    assert (rows(ids, 1), weights_by_row(ids, 1)) == ([[1, 2]], [[0.5, 2.0]])


def test_weights_do_not_go_with_a_mean() -> None:
    with pytest.raises(ConfigError, match='pooling: is "mean"; weighted values go with "sum"'):
        id_feature('num_buckets: 5 weighted: true pooling: "mean"')
