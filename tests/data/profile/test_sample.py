from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv, feather

from raymon.data import FileKind, read_sample
from raymon.errors import DataError

ROWS = pa.table({"n": range(1000), "x": [i / 2 for i in range(1000)], "t": ["a", None] * 500})


def test_a_sample_comes_from_all_over_the_files(tmp_path: Path) -> None:
    for part in range(4):
        pq.write_table(ROWS.slice(part * 250, 250), tmp_path / f"{part}.parquet", row_group_size=50)
    sample = read_sample(str(tmp_path), 100)
    assert (sample.rows, len(sample.table)) == (1000, 100)
    assert {n // 50 for n in sample.table["n"].to_pylist()} == set(range(20))
    assert read_sample(str(tmp_path)).table.equals(ROWS.replace_schema_metadata(None))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_values_of_csv_have_the_types_that_they_look_like(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "rows.csv"
    csv.write_csv(ROWS, path, csv.WriteOptions(delimiter=delimiter))
    sample = read_sample(str(path))
    assert sample.file_format.kind is FileKind.CSV
    assert sample.file_format.csv.delimiter == delimiter
    assert sample.table.schema.types == [pa.int64(), pa.float64(), pa.string()]
    assert sample.table.to_pydict() == ROWS.to_pydict()


def test_columns_that_only_some_files_have_are_named(tmp_path: Path) -> None:
    feather.write_feather(ROWS, tmp_path / "a.arrow", compression="uncompressed")
    feather.write_feather(ROWS.drop_columns("t"), tmp_path / "b.arrow", compression="uncompressed")
    sample = read_sample(str(tmp_path))
    assert sample.partial == ("t",)
    assert sample.table.column_names == ["n", "x"]
    assert sample.rows == 2000


def test_what_has_no_rows_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    pq.write_table(ROWS.slice(0, 0), tmp_path / "none.parquet")
    (tmp_path / "junk.parquet").write_text("hello")
    (tmp_path / "empty.csv").write_text("")
    for name, says in (("none", "has no rows"), ("junk", "is not a Parquet file")):
        with pytest.raises(DataError, match=f"{name}.parquet: {says}"):
            read_sample(str(tmp_path / f"{name}.parquet"))
    with pytest.raises(DataError, match=r"empty\.csv: has no rows"):
        read_sample(str(tmp_path / "empty.csv"))
