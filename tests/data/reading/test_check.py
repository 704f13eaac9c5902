from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format

from raymon.data import Columns, InputSummary, LabelKind, build_features, check_input
from raymon.errors import DataError
from raymon.protos import feature_pb2

FEATURES = build_features(
    [
        text_format.Parse(text, feature_pb2.FeatureConfig())
        for text in (
            'raw_feature { feature_name: "age" expression: "user:user_age" }',
            'id_feature { feature_name: "id" expression: "user:user_id" embedding_dim: 2 '
            "num_buckets: 9 }",
        )
    ]
)
GOOD = pa.table({"user_age": [1.5, None], "user_id": ["1", "2"], "click": [0, 1], "w": [1.0, 2.0]})


def check(path: Path, kind: LabelKind = LabelKind.BINARY) -> InputSummary:
    columns = Columns(FEATURES, {"click": kind}, ["w"], ["user_id"], num_class={"click": 3})
    return check_input(str(path), columns)


def replaced(name: str, values: pa.Array) -> pa.Table:
    return GOOD.set_column(GOOD.schema.get_field_index(name), name, values)


def test_a_good_input_is_counted(tmp_path: Path) -> None:
    pq.write_table(GOOD, tmp_path / "a.parquet")
    pq.write_table(replaced("click", pa.array([1, 1])), tmp_path / "b.parquet")
    assert check(tmp_path) == InputSummary(rows=4, files=2)


def test_strings_of_numbers_are_good(tmp_path: Path) -> None:
    pq.write_table(replaced("user_age", pa.array(["1.5", None])), tmp_path / "a.parquet")
    assert check(tmp_path).rows == 2


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (GOOD.rename_columns(["usr_age", "user_id", "click", "w"]), "did you mean usr_age?"),
        (GOOD.rename_columns(["USER_AGE", "user_id", "click", "w"]), "did you mean USER_AGE?"),
        (GOOD.drop_columns(["click"]), "has no column click, needed as a label"),
        (
            replaced("user_age", pa.array([{"a": 1}] * 2)),
            "user_age is struct<a: int64>; feature age is made from numbers",
        ),
        (replaced("user_age", pa.array(["1.5", "old"])), "column user_age: Failed to parse"),
        (
            replaced("user_id", pa.array([1, 2], pa.timestamp("us"))),
            "user_id is timestamp[us]; feature id is made from integers, strings, dates or whole "
            "numbers",
        ),
        (replaced("w", pa.array(["a", "b"])), "w is string; a sample weight is made from numbers"),
        (
            replaced("user_id", pa.array([["1"], ["2"]])),
            "user_id is list<element: string>; a grouping key",
        ),
        (
            replaced("click", pa.array([0, 2])),
            "column click, row group 0: value 2; a label must be 0 or 1",
        ),
        (
            replaced("click", pa.array(np.array([1, np.nan], np.float16), from_pandas=True)),
            "column click, row group 0: 1 nulls; a label must be 0 or 1",
        ),
        (replaced("click", pa.array([-1, 1])), "row group 0: value -1; a label must be 0 or 1"),
        (
            replaced("click", pa.array([1, 0], pa.date32())),
            "click is date32[day]; a label is made from numbers",
        ),
        (replaced("click", pa.array([None, 1])), "row group 0: 1 nulls; a label must be 0 or 1"),
    ],
)
def test_what_a_footer_shows_to_be_wrong_is_an_error(
    tmp_path: Path, table: pa.Table, message: str
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    with pytest.raises(DataError) as error:
        check(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_class_out_of_range_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(replaced("click", pa.array([2, 3])), path)
    with pytest.raises(DataError, match="value 3; a label must be an integer from 0 to 2"):
        check(path, LabelKind.CLASS)
    assert check(path, LabelKind.REAL).rows == 2


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("user_id", pa.array([1, 2])),
        ("user_id", pa.array([1.0, None])),
        ("user_id", pa.array(["1", "2"], pa.large_string())),
        ("user_id", pa.nulls(2)),
        ("user_age", pa.nulls(2)),
        ("user_age", pa.array([1, 2], pa.int8())),
        ("click", pa.array([True, False])),
        ("click", pa.array([1.0, 0.0])),
        ("click", pa.array(np.array([1, 0], np.float16))),
        ("click", pa.array([1, 0]).dictionary_encode()),
        ("click", pa.array([Decimal(1), Decimal(0)])),
    ],
)
def test_files_may_have_other_types_of_the_same_values(
    tmp_path: Path, name: str, values: pa.Array
) -> None:
    pq.write_table(GOOD, tmp_path / "a.parquet")
    pq.write_table(replaced(name, values), tmp_path / "b.parquet")
    assert check(tmp_path).rows == 4


@pytest.mark.parametrize("nothing", [pa.nulls(2), pa.nulls(2, pa.float64())])
def test_a_column_without_a_value_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, nothing: pa.Array
) -> None:
    pq.write_table(replaced("user_age", nothing), tmp_path / "a.parquet")
    check(tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: column user_age, of feature age, has no value in any row"
    ]
    caplog.clear()
    pq.write_table(GOOD, tmp_path / "b.parquet")
    check(tmp_path)
    assert not caplog.records


def test_dates_beside_numbers_are_an_error(tmp_path: Path) -> None:
    pq.write_table(GOOD, tmp_path / "a.parquet")
    pq.write_table(replaced("user_age", pa.array([1, 2], pa.date32())), tmp_path / "b.parquet")
    message = r"b\.parquet: column user_age is date32\[day\], but double in .*a\.parquet"
    with pytest.raises(DataError, match=message):
        check(tmp_path)


def test_what_is_in_the_name_of_a_directory_alone_is_reported(tmp_path: Path) -> None:
    (tmp_path / "click=1").mkdir()
    pq.write_table(GOOD.drop_columns(["click"]), tmp_path / "click=1" / "a.parquet")
    with pytest.raises(DataError, match=r"has no column click.* write it into the files"):
        check(tmp_path)


def test_an_input_without_rows_is_an_error(tmp_path: Path) -> None:
    pq.write_table(GOOD.slice(0, 0), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has no rows"):
        check(tmp_path)


def test_a_file_that_is_read_twice_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "here").mkdir()
    for name in ("a", "b"):
        pq.write_table(GOOD, tmp_path / "here" / f"{name}.parquet")
    check(tmp_path / "here")
    assert not caplog.records
    (tmp_path / "link").symlink_to("here")
    a = tmp_path / "here" / "a.parquet"
    for path, said in (
        (f"{a},{tmp_path}/here", f"has {a} 2 times; its rows count as often"),
        (f"{tmp_path}/*/*.parquet", f"has {a} 2 times, and 1 others more than once; its rows"),
    ):
        caplog.clear()
        check(Path(path))
        (record,) = caplog.records
        assert said in record.getMessage()
