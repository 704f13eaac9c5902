from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import Batch, Columns, DataReader, Feature, IdList, LabelKind, build_features
from raymon.errors import DataError
from raymon.protos import feature_pb2
from tests.data.given_batches import is_in_one_memory

FILES, GROUPS = 3, (7, 5, 1)
ROWS = FILES * sum(GROUPS)


def features(*texts: str) -> list[Feature]:
    """Returns features from their configs."""
    configs = [text_format.Parse(text, feature_pb2.FeatureConfig()) for text in texts]
    return build_features(configs)


FEATURES = features(
    'raw_feature { feature_name: "number" expression: "user:row" }',
    'id_feature { feature_name: "tags" expression: "item:tags" embedding_dim: 2 '
    'num_buckets: 50 separator: "," }',
)
PLAIN_FEATURES = features(
    'id_feature { feature_name: "row" expression: "user:row" embedding_dim: 2 num_buckets: 50 }',
    'id_feature { feature_name: "user" expression: "user:user" embedding_dim: 2 '
    "hash_bucket_size: 50 }",
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Writes 39 rows that hold their index, in 3 files of row groups of 7, 5 and 1."""
    directory = tmp_path_factory.mktemp("log")
    row = 0
    for file in range(FILES):
        with pq.ParquetWriter(directory / f"part-{file}.parquet", schema()) as writer:
            for size in GROUPS:
                writer.write_table(table(range(row, row + size)))
                row += size
    return directory


def schema() -> pa.Schema:
    return table(range(0)).schema


def table(rows: range) -> pa.Table:
    return pa.table(
        {
            "unused": pa.array(["x"] * len(rows), pa.string()),
            "row": pa.array(rows, pa.int64()),
            "tags": pa.array([",".join(map(str, range(r % 4))) for r in rows], pa.string()),
            "click": pa.array([r % 2 for r in rows], pa.int8()),
            "weight": pa.array([r / 2 for r in rows], pa.float64()),
            "user": pa.array([f"u{r % 5}" for r in rows], pa.string()),
        }
    )


def reader(path: object, **options: Any) -> DataReader:
    labels = options.pop("labels", {"click": LabelKind.BINARY})
    weights, keys = options.pop("weights", ["weight"]), options.pop("keys", ["user", "row"])
    columns = Columns(FEATURES, labels, weights, keys, options.pop("num_class", {}))
    return DataReader(str(path), columns, **{"batch_size": 4, **options})


def row_numbers(batches: list[Batch]) -> list[list[int]]:
    return [batch.keys["row"].tolist() for batch in batches]


SHAPES = st.fixed_dictionaries(
    {
        "batch_size": st.integers(1, 12),
        "global_batch_size": st.none() | st.integers(1, 30),
        "streams": st.integers(1, 9),
        "world_size": st.integers(1, 5),
        "shuffle": st.booleans(),
        "shuffle_buffer_size": st.integers(1, 4),
        "num_workers": st.integers(0, 2),
    }
)


@settings(deadline=None, max_examples=60)
@given(SHAPES, st.integers(0, 3))
def test_the_ranks_read_every_row_once_an_epoch(log: Path, shape: Any, epoch: int) -> None:
    ranks = [reader(log, rank=rank, **shape) for rank in range(shape["world_size"])]
    epochs = [row_numbers(list(rank.epoch(epoch))) for rank in ranks]
    assert sorted(row for rank in epochs for batch in rank for row in batch) == list(range(ROWS))
    assert {len(rank) for rank in epochs} == {ranks[0].steps_per_epoch}
    row = 0
    for step in range(ranks[0].steps_per_epoch):
        rows = sum(len(rank[step]) for rank in epochs)
        assert ranks[-1].rows_at(row) == rows
        row += rows


@settings(deadline=None, max_examples=60)
@given(SHAPES, st.booleans())
def test_one_storage_is_behind_a_batch(log: Path, shape: Any, lists: bool) -> None:
    columns = Columns(
        [FEATURES[0], *(FEATURES[1:] if lists else []), *PLAIN_FEATURES],
        {"click": LabelKind.BINARY},
        ["weight"],
        ["user", "row"],
    )
    with closing(DataReader(str(log), columns, **shape).epoch(1)) as batches:
        for batch in batches:
            assert is_in_one_memory(batch)
            assert batch.plain_ids is not None
            names = batch.plain_ids.names
            assert set(names) >= {"user", "row"}
            assert not lists or "tags" not in names or batch.sparse["tags"].offsets is None
            for name, row in zip(names, batch.plain_ids.values, strict=True):
                assert torch.equal(row, batch.sparse[name].values)
            assert batch.sparse["row"].values.tolist() == batch.keys["row"].tolist()


@settings(deadline=None, max_examples=60)
@given(SHAPES, st.data())
def test_an_epoch_from_a_row_on_is_the_rest_of_the_undisturbed_one(
    log: Path, shape: Any, data: st.DataObject
) -> None:
    source = reader(log, rank=shape["world_size"] - 1, **shape)
    whole = row_numbers(list(source.epoch(1)))
    start = data.draw(st.integers(0, len(whole)))
    row = min(start * source.global_batch_size, ROWS)
    assert row_numbers(list(source.epoch(1, row))) == whole[start:]


def global_batches(path: Path, world_size: int, epoch: int = 1, **options: Any) -> list[list[int]]:
    """Returns the rows of each step, of all ranks one after the other."""
    ranks = [
        row_numbers(list(reader(path, rank=rank, world_size=world_size, **options).epoch(epoch)))
        for rank in range(world_size)
    ]
    return [[row for batch in step for row in batch] for step in zip(*ranks, strict=True)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 12), max_size=6), min_size=1, max_size=4).filter(
        lambda files: sum(map(sum, files)) >= 8
    ),
    st.integers(1, 40),
    st.integers(1, 9),
    st.booleans(),
    st.integers(1, 3),
)
def test_global_batches_are_the_same_on_any_number_of_workers(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[list[int]],
    size: int,
    streams: int,
    shuffle: bool,
    buffer: int,
) -> None:
    path, row = tmp_path_factory.mktemp("files"), 0
    for number, groups in enumerate(files):
        with pq.ParquetWriter(path / f"{number}.parquet", schema()) as writer:
            for rows in groups:
                writer.write_table(table(range(row, row + rows)))
                row += rows
    options = {
        "global_batch_size": size,
        "streams": streams,
        "shuffle": shuffle,
        "shuffle_buffer_size": buffer,
    }
    alone = global_batches(path, 1, **options)
    assert sorted(row for batch in alone for row in batch) == list(range(row))
    for world_size in (2, 4, 8):
        assert global_batches(path, world_size, **options) == alone


@settings(deadline=None, max_examples=40)
@given(st.data(), st.booleans(), st.none() | st.integers(3, 17), st.integers(1, 5))
def test_workers_that_change_in_number_go_on_with_the_undisturbed_sequence(
    log: Path, data: st.DataObject, shuffle: bool, size: int | None, first_world: int
) -> None:
    options = {"global_batch_size": size, "streams": 5, "shuffle": shuffle, "batch_size": 3}
    first = reader(log, world_size=first_world, **options)
    alone = global_batches(log, first_world, **options)
    rows = [row for batch in alone for row in batch]
    position, seen = first.after(first.begin), 1
    while data.draw(st.booleans()) and first.after(position).epoch == 0:
        position, seen = first.after(position), seen + 1
    if position.epoch:
        return
    world_size = data.draw(st.integers(1, 6))
    ranks = [
        reader(log, rank=rank, world_size=world_size, **options).epoch(
            1, position.row, position.streams
        )
        for rank in range(world_size)
    ]
    rest = [
        sorted(r for b in step for r in b.keys["row"].tolist()) for step in zip(*ranks, strict=True)
    ]
    trained = [row for batch in alone[:seen] for row in batch]
    if size is not None:
        assert rest == [sorted(batch) for batch in alone[seen:]]
    # However large the steps of the other workers are, every row comes once.
    assert sorted(trained + [row for batch in rest for row in batch]) == sorted(rows)


def test_few_row_groups_are_decoded_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from raymon.data.files.parquet import ParquetFile

    # Row groups of different sizes, 40 in all.
    for number in range(4):
        with pq.ParquetWriter(tmp_path / f"{number}.parquet", schema()) as writer:
            for group in range(10):
                index = number * 10 + group
                rows = 7 + (5 * index * index) % 11
                writer.write_table(table(range(index * 20, index * 20 + rows)))
    decoded: list[tuple[str, int]] = []
    read = ParquetFile.read

    def counted(self: ParquetFile, row_group: int, *args: Any) -> Any:
        decoded.append((self.path, row_group))
        return read(self, row_group, *args)

    monkeypatch.setattr(ParquetFile, "read", counted)
    for world_size in (1, 2, 3, 4, 8):
        decoded.clear()
        global_batches(tmp_path, world_size, global_batch_size=24, streams=8)
        assert len(set(decoded)) == 40
        assert len(decoded) <= 44


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("world_size", [1, 2, 8])
def test_going_on_at_nine_tenths_reads_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shuffle: bool, world_size: int
) -> None:
    from raymon.data.files.parquet import ParquetFile

    groups, rows = 200, 2000
    pq.write_table(table(range(rows)), tmp_path / "a.parquet", row_group_size=rows // groups)
    decoded: list[int] = []
    read = ParquetFile.read

    def counted(self: ParquetFile, row_group: int, *args: Any) -> Any:
        decoded.append(row_group)
        return read(self, row_group, *args)

    monkeypatch.setattr(ParquetFile, "read", counted)
    options = {"global_batch_size": 20, "shuffle": shuffle, "shuffle_buffer_size": 2}
    for rank in range(world_size):
        source = reader(tmp_path, rank=rank, world_size=world_size, **options)
        list(source.epoch(0, rows * 9 // 10))
    assert len(decoded) <= 0.15 * groups


def test_without_shuffle_streams_keep_the_order_of_the_files(tmp_path: Path) -> None:
    pq.write_table(table(range(1000)), tmp_path / "a.parquet", row_group_size=10)
    batches = global_batches(tmp_path, 1, global_batch_size=20, streams=4)
    # Four row groups are read side by side; a row is never further off than these.
    for step, batch in enumerate(batches):
        assert all(abs(row - 20 * step) <= 40 + 20 for row in batch)
    exact = global_batches(tmp_path, 1, global_batch_size=20, streams=1)
    assert [row for batch in exact for row in batch] == list(range(1000))


def test_without_shuffle_rows_come_in_the_order_of_the_files(log: Path) -> None:
    batches = row_numbers(list(reader(log).epoch(0)))
    assert [row for batch in batches for row in batch] == list(range(ROWS))


def test_a_shuffle_depends_on_seed_and_epoch_alone(log: Path) -> None:
    def order(epoch: int, seed: int, workers: int = 0) -> list[list[int]]:
        source = reader(log, shuffle=True, seed=seed, num_workers=workers)
        return row_numbers(list(source.epoch(epoch)))

    assert order(0, 0) == order(0, 0, workers=2)
    assert len({str(order(e, s)) for e in (0, 1) for s in (0, 1)}) == 4


def test_a_batch_holds_what_the_row_says(log: Path) -> None:
    for batch in reader(log, shuffle=True, num_workers=2, world_size=2, rank=1).epoch(0):
        rows = batch.keys["row"]
        assert batch.size == len(rows)
        assert batch.dense["number"].tolist() == [[float(r)] for r in rows]
        assert batch.labels["click"].tolist() == [float(r % 2) for r in rows]
        assert batch.weights["weight"].tolist() == [r / 2 for r in rows.tolist()]
        assert batch.labels["click"].dtype == batch.weights["weight"].dtype == torch.float32
        tags = batch.sparse["tags"]
        assert isinstance(tags, IdList)
        assert tags.values.tolist() == [tag for r in rows.tolist() for tag in range(r % 4)]
        same_user = batch.keys["user"][:, None] == batch.keys["user"][None]
        assert torch.equal(same_user, rows[:, None] % 5 == rows[None] % 5)


def test_drop_remainder_leaves_full_batches(log: Path) -> None:
    source = reader(log, drop_remainder=True)
    assert [len(batch) for batch in row_numbers(list(source.epoch(0)))] == [4] * (ROWS // 4)


def test_only_needed_columns_are_read(tmp_path: Path) -> None:
    # A column of another type in a second file would break a read of all columns.
    pq.write_table(table(range(0, 5)), tmp_path / "a.parquet")
    other = table(range(5, 9)).set_column(0, "unused", pa.array([1, 2, 3, 4]))
    pq.write_table(other, tmp_path / "b.parquet")
    assert sum(batch.size for batch in reader(tmp_path).epoch(0)) == 9


def write_with(path: Path, column: str, values: list[object]) -> None:
    good = table(range(len(values)))
    index = good.schema.get_field_index(column)
    pq.write_table(good.set_column(index, column, pa.array(values)), path, row_group_size=3)


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize(
    ("column", "values", "kind", "message"),
    [
        ("click", [0, 1, 1, 0, 2], LabelKind.BINARY, "row 4: value 2; a label must be 0 or 1"),
        ("click", [0, None, 1], LabelKind.BINARY, "row 1: value None; a label must be 0 or 1"),
        ("click", [0, 5, 1], LabelKind.CLASS, "row 1: value 5; a label must be an integer from 0"),
        ("click", [0.0, float("nan")], LabelKind.REAL, "row 1: value nan; a label must be a fin"),
        ("weight", [1.0, 1.0, 1.0, -1.0], LabelKind.BINARY, "row 3: value -1.0; a weight must be"),
    ],
)
def test_a_wrong_label_or_weight_is_an_error_that_names_its_row(
    tmp_path: Path,
    num_workers: int,
    column: str,
    values: list[object],
    kind: LabelKind,
    message: str,
) -> None:
    path = tmp_path / "bad.parquet"
    write_with(path, column, values)
    source = reader(path, labels={"click": kind}, num_workers=num_workers, num_class={"click": 4})
    with pytest.raises(DataError) as error:
        list(source.epoch(0))
    assert str(error.value).startswith(f"{path}: column {column}, {message}")


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_batches_before_a_wrong_row_come_first(tmp_path: Path, num_workers: int) -> None:
    write_with(tmp_path / "bad.parquet", "click", [0, 1, 0, 2])
    batches = reader(tmp_path, batch_size=1, num_workers=num_workers).epoch(0)
    assert row_numbers([next(batches) for _ in range(3)]) == [[0], [1], [2]]
    with pytest.raises(DataError):
        next(batches)


def test_a_damaged_row_group_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "damaged.parquet"
    write_with(path, "click", [0, 1, 0, 1])
    data = bytearray(path.read_bytes())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    data[4:footer] = bytes(footer - 4)
    path.write_bytes(data)
    with pytest.raises(DataError, match=f"{path}: row group 0 cannot be read"):
        list(reader(path).epoch(0))


def test_too_few_rows_are_an_error_that_names_the_path(log: Path) -> None:
    with pytest.raises(DataError, match=f"{log}: 39 rows are fewer than 40 workers"):
        reader(log, world_size=40)
    with pytest.raises(DataError, match=f"{log}: 39 rows fill no batch of 64"):
        reader(log, batch_size=64, drop_remainder=True)


def test_closing_an_epoch_early_stops_its_threads(log: Path) -> None:
    before = threading.active_count()
    batches = reader(log, num_workers=2, batch_size=1).epoch(0)
    next(batches)
    assert threading.active_count() > before
    batches.close()
    assert threading.active_count() == before


def test_row_groups_before_the_first_step_are_not_decoded(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from raymon.data.files.parquet import ParquetFile

    decoded: list[int] = []
    read = ParquetFile.read

    def counted(self: ParquetFile, row_group: int, *args: Any) -> Any:
        decoded.append(row_group)
        return read(self, row_group, *args)

    monkeypatch.setattr(ParquetFile, "read", counted)
    source = reader(log)
    list(source.epoch(0, 4 * (source.steps_per_epoch - 1)))
    assert decoded == [1, 2]


def test_large_row_groups_give_the_same_rows_as_small_ones(tmp_path: Path) -> None:
    for name, size in (("small", 10), ("large", 1000)):
        pq.write_table(table(range(1000)), tmp_path / name, row_group_size=size)
    small, large = (row_numbers(list(reader(tmp_path / n).epoch(0))) for n in ("small", "large"))
    assert small == large
    assert np.concatenate(large).tolist() == list(range(1000))


def overwrite_pages(path: Path, row_group: int) -> None:
    """Overwrites the pages of a row group."""
    metadata = pq.read_metadata(path)
    columns = [metadata.row_group(row_group).column(i) for i in range(metadata.num_columns)]
    begin = min(c.dictionary_page_offset or c.data_page_offset for c in columns)
    data = bytearray(path.read_bytes())
    size = sum(c.total_compressed_size for c in columns)
    data[begin : begin + size] = bytes(size)
    path.write_bytes(data)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("world_size", [1, 3, 5])
def test_rows_that_cannot_be_read_are_left_out_and_counted(
    tmp_path: Path, shuffle: bool, world_size: int
) -> None:
    pq.write_table(table(range(0, 40)), tmp_path / "a.parquet", row_group_size=10)
    pq.write_table(table(range(40, 80)), tmp_path / "b.parquet", row_group_size=10)
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    overwrite_pages(tmp_path / "a.parquet", 2)
    options = {"global_batch_size": 16, "streams": 3, "shuffle": shuffle, "skip_bad_files": True}
    ranks = [
        reader(tmp_path, rank=rank, world_size=world_size, num_workers=2, **options)
        for rank in range(world_size)
    ]
    epochs = [row_numbers(list(rank.epoch(0))) for rank in ranks]
    assert {len(epoch) for epoch in epochs} == {5}
    seen = sorted(row for epoch in epochs for batch in epoch for row in batch)
    assert seen == [row for row in range(80) if not 20 <= row < 30]
    counts: dict[str, int] = {}
    for rank in ranks:
        for name, count in rank.counts.take().items():
            counts[name] = counts.get(name, 0) + count
    assert counts == {"files_unreadable": 1, "rows_unreadable": 10}


@pytest.mark.parametrize("what", ["changed", "gone"])
def test_a_file_that_changes_or_vanishes_is_noticed(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(table(range(40)), path, row_group_size=10)
    source = reader(path)
    batches = source.epoch(0)
    next(batches)
    if what == "gone":
        path.unlink()
    else:
        pq.write_table(table(range(60)), path, row_group_size=10)
    with pytest.raises(DataError, match=f"{path}: (is gone|was changed) since the run began"):
        list(batches)
