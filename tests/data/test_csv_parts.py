"""CSV as users have it: parts that differ in what they hold, and files that are no CSV."""

from __future__ import annotations

import csv
import gzip
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import (
    Batch,
    Columns,
    CsvFormat,
    DataReader,
    FileFormat,
    FileKind,
    LabelKind,
    build_features,
    check_input,
)
from raymon.data.files import csv_file as csv_files
from raymon.errors import DataError
from raymon.protos import feature_pb2

HEADED = FileFormat(FileKind.CSV, CsvFormat(with_header=True))
FEATURES = build_features(
    [
        text_format.Parse(text, feature_pb2.FeatureConfig())
        for text in (
            'id_feature { feature_name: "user" expression: "user:user" embedding_dim: 2 '
            "hash_bucket_size: 100000 }",
            'raw_feature { feature_name: "price" expression: "item:price" }',
        )
    ]
)
COLUMNS = Columns(FEATURES, {"click": LabelKind.BINARY}, keys=["user"])


def reader(path: object, file_format: FileFormat | None = HEADED, **options: Any) -> DataReader:
    return DataReader(str(path), COLUMNS, file_format=file_format, batch_size=5, **options)


def rows_of(batches: list[Batch]) -> list[tuple[int, int, float, float]]:
    rows = []
    for batch in batches:
        users = batch.sparse["user"]
        lengths = [1] * batch.size
        if users.offsets is not None:
            offsets = [*users.offsets.tolist(), len(users.values)]
            lengths = [end - begin for begin, end in pairwise(offsets)]
        ids = iter(users.values.tolist())
        for row, length in enumerate(lengths):
            rows.append(
                (
                    next(ids) if length else -1,
                    batch.keys["user"][row].item(),
                    batch.dense["price"][row, 0].item(),
                    batch.labels["click"][row].item(),
                )
            )
    return rows


def write_csv(path: Path, rows: list[tuple[object, ...]], header: tuple[str, ...]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


USERS = st.none() | st.sampled_from(
    ["00123", "123", "0", "2024-01-31", "true", "1.0", "1e3", "a,b", 'say "x"', "é", " 7", "NULL"]
)
PRICES = st.none() | st.integers(-5, 5) | st.floats(-1e6, 1e6, width=32)


@settings(max_examples=60)
@given(st.lists(st.lists(st.tuples(USERS, PRICES, st.integers(0, 1)), max_size=6), max_size=4))
def test_the_same_rows_give_the_same_batches_as_parquet_however_they_are_parted(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[tuple[Any, Any, int]]]
) -> None:
    top = tmp_path_factory.mktemp("parts")
    parts = [*parts, [("1", 1.0, 0)]]
    for number, part in enumerate(parts):
        rows = [(click, price, user) for user, price, click in part]
        write_csv(top / f"{number}.csv", rows, ("click", "price", "user"))
    users, prices, clicks = zip(*(row for part in parts for row in part), strict=True)
    types = [("user", pa.string()), ("price", pa.float64()), ("click", pa.int64())]
    values = [list(users), [None if p is None else float(p) for p in prices], list(clicks)]
    (top / "one").mkdir()
    pq.write_table(pa.table(values, pa.schema(types)), top / "one" / "a.parquet")
    expected = rows_of(list(reader(top / "one", None).epoch(0)))
    assert check_input(str(top), COLUMNS, file_format=HEADED).rows == len(expected)
    assert rows_of(list(reader(top).epoch(0))) == expected


def test_parts_may_have_no_row_no_byte_or_another_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,price,click\n")
    (tmp_path / "b.csv").write_bytes(b"")
    (tmp_path / "c.csv").write_bytes(b"\xef\xbb\xbf\n\nclick, price ,more,user\r\n1,2,x,u\r\n")
    (tmp_path / "d.csv").write_text("user,price,click\nu,2,1")
    first, second = rows_of(list(reader(tmp_path).epoch(0)))
    assert first == second
    assert first[2:] == (2.0, 1.0)


def test_truth_values_are_numbers_in_all_parts(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,price,click\nu,1,true\nu,2,False\n")
    (tmp_path / "b.csv").write_text("user,price,click\nu, 3 ,1\n")
    rows = rows_of(list(reader(tmp_path).epoch(0)))
    assert [row[2:] for row in rows] == [(1.0, 1.0), (2.0, 0.0), (3.0, 1.0)]


def test_a_column_of_ids_and_numbers_is_of_integers(tmp_path: Path) -> None:
    columns = Columns(FEATURES, {"click": LabelKind.BINARY}, keys=["price"])
    (tmp_path / "a.csv").write_text("user,price,click\nu,7,1\n")
    (batch,) = DataReader(str(tmp_path), columns, file_format=HEADED, batch_size=5).epoch(0)
    assert (batch.keys["price"].item(), batch.dense["price"].item()) == (7, 7.0)
    (tmp_path / "a.csv").write_text("user,price,click\nu,7.5,1\n")
    with pytest.raises(DataError, match=r"value '7.5' is no integer; .* data_config\.input_fields"):
        check_input(str(tmp_path), columns, file_format=HEADED)


def parquet_bytes() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"user": ["u"], "price": [1.0], "click": [0]}), sink)
    return sink.getvalue().to_pybytes()


def arrow_bytes() -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table({"user": ["u"], "price": [1.0], "click": [0]})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


HEADER = b"user,price,click\n"
GOOD = HEADER + b"u,1.5,0\n" * 5


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", parquet_bytes(), "it is a Parquet file; set data_config.dataset_type"),
        ("a.csv", arrow_bytes(), "it is an Arrow IPC file; set data_config.dataset_type"),
        ("a.csv", b"user,price,click\r1,1.5,0\r2,2.5,1\r", "CR alone"),
        ("a.csv", b"a" * 300_000, "its first line is no header"),
        ("a.csv", b"a" * (5 << 20), "no end of a line in its first 4 MiB"),
        ("a.csv", GOOD.decode().encode("utf-16"), "UTF-16"),
        ("a.csv", GOOD.decode().encode("utf-16-le"), "has NUL bytes"),
        ("a.csv", b"", "has no rows"),
        ("a.csv", b"\xef\xbb\xbf\n\r\n", "has no rows"),
        ("a.csv", HEADER, "has no rows"),
        ("a.csv", b"user,price,price,click\nu,1,1,0\n", "several columns price"),
        ("a.csv", b"user,click\nu,0\n", "has no column price, needed as feature price"),
        ("a.csv", b"user,pr\xe9ce,click\nu,1,0\n", "header is not UTF-8"),
        ("a.csv", GOOD + b'"u,1.5,0\nu,1.5,0\n', "line 7: has a quote that is not closed"),
        ("a.csv", GOOD + b"u,1.5\n", "line 7: has 2 values, and there are 3 columns"),
        ("a.csv", GOOD + b"\n\r\nu,1.5,0,1\n", "line 9: has 4 values, and there are 3 columns"),
        ("a.csv", GOOD + b"\xe9,1.5,0\n", "line 7: column user: is not UTF-8"),
        ("a.csv", HEADER + b"\xe9,1.5,0\n" * 2, "line 2: column user: is not UTF-8"),
        ("a.csv", HEADER + b"u,1.5,0,\n" * 2, "line 2: has 4 values, and there are 3 columns"),
        ("a.csv", HEADER + b'"u,1.5,0\n' * 2, "line 2: has a quote that is not closed"),
        ("a.csv", b"# made by x\n" + GOOD, "line 2: has 3 values, and there are 1 columns"),
        ("a.csv", GOOD + b"u,1.5\rx,0\n", "line 7: has a carriage return"),
        ("a.csv", GOOD + b"u,\0,0\n", "line 7: has NUL bytes"),
        ("a.csv", GOOD + b"u,NULL,0\n", "line 7: column price: value 'NULL' is no number; a mis"),
        ("a.csv", GOOD + b"u,1,yes\n", "line 7: column click: value 'yes' is no number"),
        ("a.csv", GOOD + HEADER, "line 7: column price: value 'price' is no number"),
        ("a.csv.gz", GOOD, "ends in .gz and is not compressed by gzip"),
        ("a.csv.gz", gzip.compress(GOOD, mtime=0)[:-10], "is not a CSV file: "),
        ("a.csv.GZ", gzip.compress(GOOD, mtime=0)[:20], "is not a CSV file: "),
        ("a.csv", b"user;price;click\nu;1;0\n", "has no column user, needed as feature user"),
    ],
)
def test_what_is_no_csv_gets_one_line_that_says_so(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        check_input(str(tmp_path / name), COLUMNS, file_format=HEADED)
    assert message in str(error.value)
    assert str(error.value).startswith(str(tmp_path))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_compression_is_what_the_file_has(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(gzip.compress(GOOD) + gzip.compress(b"u,9,1\n"))
    rows = rows_of(list(reader(tmp_path).epoch(0)))
    assert [row[2] for row in rows] == [1.5] * 5 + [9.0]


def test_a_header_that_is_read_as_a_row_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    types = {"user": pa.string(), "price": None, "click": None}
    with pytest.raises(DataError, match=r"is it a header\? set data_config\.with_header"):
        check_input(
            str(tmp_path), COLUMNS, file_format=FileFormat(FileKind.CSV, CsvFormat(types=types))
        )


BAD_LINES = [
    b"u,1",
    b"u,1,0,1",
    b'"u,1,0',
    b"u,x,0",
    b"\xff,1,0",
    b"u,1\rx,0",
    b"u,\0,0",
    b"u,1,no",
]


@settings(max_examples=60)
@given(
    st.lists(st.none() | st.sampled_from(BAD_LINES), min_size=1, max_size=40),
    st.booleans(),
    st.integers(1, 3),
    st.booleans(),
)
def test_lines_that_are_no_rows_are_left_out_and_counted_and_no_others(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes | None],
    packed: bool,
    world_size: int,
    shuffle: bool,
) -> None:
    top = tmp_path_factory.mktemp("ragged")
    lines = [*lines, *[None] * world_size]
    text = HEADER + b"".join(
        (line or b"u%d,%d,%d" % (row, row, row % 2)) + b"\n" for row, line in enumerate(lines)
    )
    name, content = ("a.csv.gz", gzip.compress(text)) if packed else ("a.csv", text)
    (top / name).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "ROW_GROUP", 7)
        patch.setattr(csv_files, "_BLOCK", 64)
        ranks = [
            reader(top, rank=rank, world_size=world_size, shuffle=shuffle, skip_bad_files=True)
            for rank in range(world_size)
        ]
        seen = [row[2] for rank in ranks for row in rows_of(list(rank.epoch(0)))]
    assert sorted(seen) == [row for row, line in enumerate(lines) if line is None]
    counts = [rank.counts.take() for rank in ranks]
    bad = sum(line is not None for line in lines)
    assert sum(c.pop("rows_unreadable", 0) for c in counts) == bad
    assert not any(counts)


def test_a_file_without_any_row_is_left_out_whole(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    (tmp_path / "b.csv").write_bytes(HEADER + b"u;1;0\n" * 3)
    source = reader(tmp_path, skip_bad_files=True)
    assert len(rows_of(list(source.epoch(0)))) == 5
    assert source.counts.take() == {"files_unreadable": 1}
    assert not any(math.isnan(row[2]) for row in rows_of(list(source.epoch(0))))
