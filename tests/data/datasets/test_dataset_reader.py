"""Iterables in place of files: the same batches, from any form, and on from any batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, IterableDataset

from raymon.data import (
    Batch,
    Columns,
    DataReader,
    DatasetBatch,
    DatasetPosition,
    DatasetReader,
    LabelKind,
    build_features,
)
from raymon.errors import DataError
from raymon.protos import feature_pb2

FEATURES = build_features(
    [
        text_format.Parse(text, feature_pb2.FeatureConfig())
        for text in (
            'raw_feature { feature_name: "number" expression: "user:row" }',
            'raw_feature { feature_name: "pair" expression: "user:pair" value_dim: 2 }',
            'id_feature { feature_name: "tags" expression: "item:tags" embedding_dim: 2 '
            "hash_bucket_size: 50 }",
        )
    ]
)
COLUMNS = Columns(FEATURES, {"click": LabelKind.BINARY}, ["weight"], ["user"])


def table(rows: range) -> pa.Table:
    return pa.table(
        {
            "unused": pa.array(["x"] * len(rows), pa.string()),
            "row": pa.array(rows, pa.int64()),
            "pair": pa.array([[r, -r] for r in rows], pa.list_(pa.float32())),
            "tags": pa.array([[f"t{t}" for t in range(r % 4)] for r in rows]),
            "click": pa.array([r % 2 for r in rows], pa.int8()),
            "weight": pa.array([r / 2 for r in rows], pa.float64()),
            "user": pa.array([f"u{r % 5}" for r in rows], pa.string()),
        }
    )


def reader(data: Any, **options: Any) -> DatasetReader:
    return DatasetReader(data, COLUMNS, name="clicks", **{"batch_size": 4, **options})


def read(data: Any, **options: Any) -> list[DatasetBatch]:
    epoch = options.pop("epoch", 0)
    position = options.pop("position", DatasetPosition())
    return list(reader(data, **options).batches(epoch, position))


def row_numbers(items: list[DatasetBatch]) -> list[list[float]]:
    return [item.batch.dense["number"].squeeze(1).tolist() for item in items]


def assert_same(batch: Batch, expected: Batch) -> None:
    assert batch.size == expected.size
    for kind in ("dense", "labels", "weights", "keys"):
        for name, values in getattr(expected, kind).items():
            assert torch.equal(getattr(batch, kind)[name], values), name
    for name, ids in expected.sparse.items():
        assert torch.equal(batch.sparse[name].values, ids.values), name
        assert torch.equal(batch.sparse[name].offsets, ids.offsets), name


def arrays(part: pa.Table) -> dict[str, Any]:
    """Returns columns as numpy has them: strings and lists as objects, pairs in two dimensions."""
    columns = {name: part[name].to_numpy() for name in ("row", "click", "weight", "user", "tags")}
    return {**columns, "pair": np.stack(part["pair"].to_numpy())}


def tensors(part: pa.Table) -> dict[str, Any]:
    numbers = {name: torch.tensor(part[name].to_pylist()) for name in ("row", "click", "weight")}
    pairs = torch.tensor(part["pair"].to_pylist())
    return {**numbers, "pair": pairs, "user": part["user"].to_pylist(), "tags": part["tags"]}


FORMS: dict[str, Callable[[pa.Table], Any]] = {
    "table": lambda part: [part],
    "record batches": lambda part: part.to_batches(),
    "data frame": lambda part: [part.to_pandas()],
    "columns as lists": lambda part: [part.to_pydict()],
    "columns as arrays": lambda part: [arrays(part)],
    "columns as tensors": lambda part: [tensors(part)],
    "list of rows": lambda part: [part.to_pylist()],
    "rows": lambda part: part.to_pylist(),
    "rows of tensors": lambda part: [
        {**row, "click": torch.tensor(row["click"]), "pair": torch.tensor(row["pair"])}
        for row in part.to_pylist()
    ],
    "rows and tables": lambda part: [*part.slice(0, 1).to_pylist(), part.slice(1)],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_batches_that_files_give(form: str, tmp_path: Any) -> None:
    pa.parquet.write_table(table(range(11)), tmp_path / "a.parquet")
    expected = list(DataReader(str(tmp_path), COLUMNS, batch_size=4).epoch(0))
    pieces = [piece for begin in (0, 5, 7) for piece in FORMS[form](cut(begin))]
    *batches, end = read(pieces)
    assert len(batches) == len(expected) == 3
    for item, batch in zip(batches, expected, strict=True):
        assert_same(item.batch, batch)
    assert end.batch.size == 0
    assert end.batch.dense["pair"].shape == (0, 2)
    assert end.after == DatasetPosition()


def cut(begin: int) -> pa.Table:
    return table(range(begin, {0: 5, 5: 7, 7: 11}[begin]))


class Counting:
    """A dataset that yields tables of some sizes, with a position as its state; epochs differ."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes
        self.place = torch.tensor(0)
        self.round = 0
        self.drawn = 0

    def __iter__(self) -> Iterator[pa.Table]:
        while self.place < len(self.sizes):
            begin = 100 * self.round + sum(self.sizes[: self.place])
            size = self.sizes[self.place]
            self.place += 1
            self.drawn += 1
            yield table(range(begin, begin + size))
        self.place.fill_(0)
        self.round += 1

    def state_dict(self) -> dict[str, Any]:
        return {"place": self.place, "round": self.round}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.place, self.round = state["place"], state["round"]


SHAPES = st.fixed_dictionaries(
    {"batch_size": st.integers(1, 9), "drop_remainder": st.booleans(), "ahead": st.booleans()}
)
SIZES = st.lists(st.integers(0, 7), min_size=1, max_size=8)


@settings(deadline=None, max_examples=80)
@given(SIZES, SHAPES)
def test_batches_are_full_and_hold_every_row_once(sizes: list[int], shape: Any) -> None:
    source = reader(Counting(sizes), **shape)
    *batches, end = row_numbers(list(source.batches(0, DatasetPosition())))
    rows, size = sum(sizes), shape["batch_size"]
    left = rows % size if shape["drop_remainder"] else 0
    assert [row for batch in batches for row in batch] == list(range(rows - left))
    assert {len(batch) for batch in batches[:-1]} <= {size}
    assert end == []
    assert source.counts.take() == ({"rows_left_over": left} if left else {})


@settings(deadline=None, max_examples=80)
@given(SIZES, SHAPES, st.data())
def test_from_any_batch_on_it_goes_on_as_if_undisturbed(
    sizes: list[int], shape: Any, data: st.DataObject
) -> None:
    undisturbed = Counting(sizes)
    first, second = (read(undisturbed, epoch=epoch, **shape) for epoch in (0, 1))
    stop = data.draw(st.integers(0, len(first) - 1))
    again = Counting(sizes)
    after = first[stop].after
    if stop < len(first) - 1:
        rest = read(again, position=after, **shape)
        assert row_numbers(rest) == row_numbers(first)[stop + 1 :]
        after = rest[-1].after
    assert row_numbers(read(again, epoch=1, position=after, **shape)) == row_numbers(second)


def test_with_a_state_little_is_read_again() -> None:
    sizes = [3] * 200
    near_the_end = read(Counting(sizes))[140].after
    again = Counting(sizes)
    read(again, position=near_the_end)
    assert again.drawn <= 15


@settings(deadline=None, max_examples=40)
@given(SIZES, SHAPES, st.data())
def test_without_a_state_the_rows_before_are_passed_over(
    sizes: list[int], shape: Any, data: st.DataObject
) -> None:
    def rows() -> Iterator[pa.Table]:
        yield from Counting(sizes)

    whole = read(rows, **shape)
    stop = data.draw(st.integers(0, len(whole) - 1))
    if stop < len(whole) - 1:
        rest = read(rows, position=whole[stop].after, **shape)
        assert row_numbers(rest) == row_numbers(whole)[stop + 1 :]


def test_a_function_gets_what_it_asks_for() -> None:
    def of_epoch(epoch: int) -> list[pa.Table]:
        return [table(range(10 * epoch, 10 * epoch + 2))]

    def of_rank(*, world_size: int, rank: int, other: int = 3) -> list[pa.Table]:
        return [table(range(rank, 10, world_size))]

    assert row_numbers(read(of_epoch, epoch=3))[0] == [30, 31]
    assert row_numbers(read(of_rank, rank=1, world_size=4))[0] == [1, 5, 9]


class Rows(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        for row in table(range(11)).to_pylist():
            numbers = {name: row[name] for name in ("row", "click", "weight")}
            yield {**numbers, "pair": torch.tensor(row["pair"]), "user": row["user"]}


@pytest.mark.parametrize("data", [Rows(), DataLoader(Rows(), batch_size=3)])
def test_torchs_own_iterables_are_read(data: Any) -> None:
    features = [feature for feature in FEATURES if feature.name != "tags"]
    columns = Columns(features, {"click": LabelKind.BINARY}, ["weight"], ["user"])
    own = DatasetReader(data, columns, name="clicks", batch_size=4)
    items = list(own.batches(0, DatasetPosition()))
    assert row_numbers(items) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10], []]
    assert items[1].batch.dense["pair"].tolist() == [[r, -r] for r in range(4, 8)]


def test_the_epoch_is_given_to_functions_that_name_it() -> None:
    class Telling(list[pa.Table]):
        def __init__(self, *pieces: pa.Table) -> None:
            super().__init__(pieces)
            self.epochs: list[int] = []

        def set_epoch(self, epoch: int) -> None:
            self.epochs.append(epoch)

    telling = Telling(table(range(3)))
    for epoch in (0, 1):
        read(telling, epoch=epoch)
    assert telling.epochs == [0, 1]


def test_an_error_of_the_dataset_comes_at_its_place() -> None:
    def failing() -> Iterator[pa.Table]:
        yield table(range(9))
        raise OSError("the network is gone")

    batches = reader(failing).batches(0, DatasetPosition())
    assert next(batches).batch.size == next(batches).batch.size == 4
    with pytest.raises(OSError, match="the network is gone"):
        next(batches)


class Unkeepable(Counting):
    def state_dict(self) -> dict[str, Any]:
        return {"rng": np.random.default_rng(0)}


def without(name: str) -> pa.Table:
    return table(range(3)).drop_columns([name])


def changed(name: str, values: list[Any]) -> dict[str, Any]:
    return {**table(range(3)).to_pydict(), name: values}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([3], "clicks: gave a int; a dataset gives tables"),
        ([(table(range(3)), 1)], "clicks: gave a tuple; a dataset gives tables"),
        (lambda: 3, "clicks: the function gave a int; it must give an iterable"),
        ([without("row")], "clicks: has no column row, needed as feature number; it has unused"),
        ([{"clicks": [1]}], "clicks: has no column row, needed as feature number; it has clicks"),
        ([changed("row", [1, 2])], "clicks: columns of unequal lengths: row 2, pair 3"),
        ([changed("row", [1, "a", 2])], "clicks: column row: "),
        ([changed("row", [b"a"] * 3)], "clicks: column row is binary; feature number is made from"),
        (
            [table(range(5)), changed("click", [1, 2, 0])],
            "clicks: column click, row 6: value 2; a label must be 0 or 1",
        ),
        ([changed("click", [None] * 3)], "clicks: column click, row 0: value None; a label must"),
        ([changed("row", [1, float("inf"), 2])], "clicks: feature number, column row: value inf"),
        (
            Unkeepable([3]),
            "clicks: its state_dict holds a Generator, which cannot be kept",
        ),
    ],
)
def test_what_cannot_be_used_is_reported(data: Any, message: str) -> None:
    with pytest.raises(DataError) as error:
        read(data)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_the_rank_of_a_wrong_row_is_reported() -> None:
    with pytest.raises(DataError, match=r"^clicks, rank 1: column click, row 0: value 3"):
        read([changed("click", [3, 0, 0])], rank=1, world_size=2)


def test_a_state_needs_one_who_takes_it() -> None:
    with pytest.raises(DataError, match="has no load_state_dict"):
        read([table(range(3))], position=DatasetPosition(4, 4, {"place": 1}))


def test_nulls_alone_are_nulls_of_the_right_kind() -> None:
    columns = {**table(range(3)).to_pydict(), "row": [None] * 3, "tags": [None] * 3}
    batch = read([columns])[0].batch
    assert batch.dense["number"].tolist() == [[0.0]] * 3
    assert batch.sparse["tags"].values.tolist() == []


class Numbered:
    """A dataset that counts while it yields, and stays at its end until it is iterated again.

    Only the next iteration knows the row at which it continues. Epochs differ.
    """

    def __init__(self, rows: int, piece: int) -> None:
        self.rows, self.piece = rows, piece
        self.given = 0
        self.goes_on_at: int | None = None
        self.round = -1

    def __iter__(self) -> Iterator[pa.Table]:
        if self.goes_on_at is None:
            self.round += 1
        self.given, self.goes_on_at = self.goes_on_at or 0, None
        while self.given < self.rows:
            begin = self.given
            self.given = min(self.given + self.piece, self.rows)
            yield table(range(100 * self.round + begin, 100 * self.round + self.given))

    def state_dict(self) -> dict[str, int]:
        return {"given": self.given, "round": self.round}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.goes_on_at, self.round = state["given"], state["round"]


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 40), st.integers(1, 9), SHAPES, st.data())
def test_a_state_at_the_end_of_an_epoch_leads_into_the_next(
    rows: int, piece: int, shape: Any, data: st.DataObject
) -> None:
    source = reader(Numbered(rows, piece), **shape)
    undisturbed, position = [], DatasetPosition()
    for epoch in range(3):
        items = list(source.batches(epoch, position))
        position = items[-1].after
        undisturbed += [(epoch, item) for item in items]
    # Two restarts, each from a position that the run before gave.
    first = data.draw(st.integers(0, len(undisturbed) - 1))
    second = data.draw(st.integers(first, len(undisturbed) - 1))
    done = undisturbed[: first + 1]
    for stop in (second, len(undisturbed) - 1):
        again = reader(Numbered(rows, piece), **shape)
        epoch, item = done[-1]
        position = item.after
        epoch += item.batch.size == 0
        while epoch < 3 and len(done) <= stop:
            for item in again.batches(epoch, position):
                done.append((epoch, item))
                position = item.after
                if len(done) > stop:
                    break
            epoch += 1
    found, expected = ([i for _, i in items] for items in (done, undisturbed))
    assert row_numbers(found) == row_numbers(expected)


def test_a_run_that_nothing_happens_to_loads_no_state() -> None:
    class Unloadable(Counting):
        def load_state_dict(self, state: dict[str, Any]) -> None:
            raise AssertionError("nobody has to")

    source, position = reader(Unloadable([3, 4])), DatasetPosition()
    for epoch in range(3):
        *_, end = source.batches(epoch, position)
        position = end.after


def test_every_evaluation_is_on_the_same_rows() -> None:
    source = reader(Counting([3] * 10), ahead=False)
    for _ in range(3):
        epoch = source.epoch(0)
        assert next(epoch).dense["number"].squeeze(1).tolist() == [0, 1, 2, 3]
        epoch.close()


def test_a_state_is_looked_at_each_time() -> None:
    class Late(Counting):
        def state_dict(self) -> dict[str, Any]:
            return {"place": np.int64(3) if self.place > 1 else 0}

    with pytest.raises(DataError, match="its state_dict holds a int64"):
        read(Late([4, 4, 4]))


def test_pieces_without_rows_are_passed_over() -> None:
    assert row_numbers(read([[], table(range(0)), table(range(3)), []])) == [[0, 1, 2], []]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([pa.chunked_array([[1, 2]])], "clicks: gave a ChunkedArray that is no table: "),
        ([table(range(3)).append_column("row", [[1, 2, 3]])], "clicks: has several columns row"),
        (
            [table(range(1)), {**table(range(1)).to_pydict(), "row": [True]}],
            "clicks: ",
        ),
    ],
)
def test_odd_tables_are_reported(data: Any, message: str) -> None:
    with pytest.raises(DataError) as error:
        read(data)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
