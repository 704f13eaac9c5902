from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import Batch, IdList
from raymon.data.reading.packed_rows import PackedRows, Places, join_rows
from tests.data.given_batches import is_in_one_memory

PLACES = Places.of(["number", "pair"], ["label"], ["weight"], ["one", "many"], ["key"])
ROW = st.tuples(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=3))
PIECES = st.lists(st.tuples(st.lists(ROW, max_size=6), st.booleans()), min_size=1, max_size=4)

Rows = list[tuple[int, list[int]]]


def pack(rows: Rows, missing: bool) -> PackedRows:
    """Returns rows whose columns all hold their index; `many` has the ids of a list."""
    if missing:
        return PLACES.gap(len(rows))
    packed = PLACES.empty(len(rows))
    numbers = np.array([number for number, _ in rows], np.int64)
    packed.reals[:] = numbers
    packed.integers[:] = numbers
    packed.wide["pair"] = np.stack([numbers, -numbers], 1).astype(np.float32)
    lengths = np.array([len(ids) for _, ids in rows], np.int64)
    if (lengths == 1).all():
        packed.integers[PLACES.sparse["many"]] = [ids[0] for _, ids in rows]
    else:
        values = torch.tensor([id for _, ids in rows for id in ids], dtype=torch.int64)
        packed.ragged["many"] = IdList(values, torch.from_numpy(lengths.cumsum() - lengths))
    return packed


def unpack(packed: PackedRows) -> Rows:
    batch = packed.to_batch()
    numbers = batch.keys["key"].tolist()
    for column in (batch.labels["label"], batch.weights["weight"], batch.dense["number"][:, 0]):
        assert column.tolist() == numbers
    assert batch.sparse["one"].values.tolist() == numbers
    if "pair" in packed.wide:
        assert batch.dense["pair"].tolist() == [[n, -n] for n in numbers]
    assert batch.size == len(numbers)
    check_plain_ids(batch)
    assert is_in_one_memory(batch)
    many = batch.sparse["many"]
    if many.offsets is None:
        return [(n, [id]) for n, id in zip(numbers, many.values.tolist(), strict=True)]
    begins = [*many.offsets.tolist(), len(many.values)]
    lists = [many.values[begin:end].tolist() for begin, end in pairwise(begins)]
    return list(zip(numbers, lists, strict=True))


def check_plain_ids(batch: Batch) -> None:
    """Checks that the matrix has all features with one id a row, in the memory of each."""
    plain = [n for n, ids in batch.sparse.items() if ids.offsets is None and ids.weights is None]
    if batch.plain_ids is None:
        assert plain == []
        return
    assert list(batch.plain_ids.names) == plain
    assert batch.plain_ids.are_in(batch.sparse)
    assert batch.plain_ids.values.shape == (len(plain), batch.size)
    for name, row in zip(plain, batch.plain_ids.values, strict=True):
        assert row.is_contiguous()
        assert row.data_ptr() == batch.sparse[name].values.data_ptr()
        assert torch.equal(row, batch.sparse[name].values)


@settings(deadline=None)
@given(PIECES, st.data())
def test_rows_that_are_joined_cut_and_taken_are_the_same_rows(
    pieces: list[tuple[Rows, bool]], data: st.DataObject
) -> None:
    packed = join_rows([pack(rows, missing) for rows, missing in pieces])
    rows = [None if missing else row for part, missing in pieces for row in part]
    assert packed.size == len(rows)
    assert unpack(packed) == [row for row in rows if row is not None]

    begin = data.draw(st.integers(0, len(rows)))
    end = data.draw(st.integers(begin, len(rows)))
    cut = packed.slice(begin, end)
    assert unpack(cut) == [row for row in rows[begin:end] if row is not None]

    chosen = data.draw(
        st.lists(st.integers(0, end - begin - 1), max_size=9) if end > begin else st.just([])
    )
    taken = cut.take(np.array(chosen, np.int64))
    assert unpack(taken) == [r for i in chosen if (r := rows[begin + i]) is not None]


def test_plain_ids_stay_one_matrix_however_the_features_lie() -> None:
    places = Places.of([], [], [], ["one", "many", "another", "weighted", "third"], [])
    packed = places.empty(4)
    packed.integers[:] = np.arange(20).reshape(5, 4)
    ids = torch.arange(4)
    packed.ragged["many"] = IdList(ids.repeat(2), 2 * ids)
    packed.ragged["weighted"] = IdList(ids, None, torch.ones(4))
    batch = packed.to_batch()
    assert batch.plain_ids is not None
    assert batch.plain_ids.names == ("one", "another", "third")
    assert batch.plain_ids.values.tolist() == [[0, 1, 2, 3], [8, 9, 10, 11], [16, 17, 18, 19]]
    meta = torch.device("meta")
    for other in (batch, batch.to(torch.device("cpu")), batch.without_rows()):
        check_plain_ids(other)
    moved = batch.to(meta)
    assert moved.plain_ids is not None
    assert {moved.plain_ids.values.device, moved.sparse["many"].values.device} == {meta}


def test_a_batch_without_plain_ids_has_no_matrix() -> None:
    packed = Places.of([], [], [], ["many"], []).empty(2)
    packed.ragged["many"] = IdList(torch.arange(4), torch.tensor([0, 1]))
    assert packed.to_batch().plain_ids is None


def test_ids_that_a_model_puts_into_its_batch_are_not_plain_any_more() -> None:
    packed = Places.of([], [], [], ["one", "another"], []).empty(2)
    packed.integers[:] = 1
    for change in (
        lambda sparse: sparse.update(one=IdList(torch.zeros(2, dtype=torch.int64))),
        lambda sparse: setattr(sparse["one"], "values", torch.zeros(2, dtype=torch.int64)),
        lambda sparse: setattr(sparse["one"], "weights", torch.ones(2)),
        lambda sparse: sparse.pop("another"),
    ):
        batch = packed.to_batch()
        assert batch.plain_ids is not None
        assert batch.plain_ids.are_in(batch.sparse)
        change(batch.sparse)
        assert not batch.plain_ids.are_in(batch.sparse)
