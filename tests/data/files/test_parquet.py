from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raymon.data.files.formats import open_files
from raymon.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("b.parquet", "a.parquet", "day=1/c.parquet", "day=2/d.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"x": [1, 2]}), tmp_path / name, row_group_size=1)
    for name in ("_SUCCESS", "notes.txt", "day=1/.c.parquet.crc", "_metadata.parquet"):
        (tmp_path / name).write_text("not data")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("{root}", ["a.parquet", "b.parquet", "day=1/c.parquet", "day=2/d.parquet"]),
        ("{root}/", ["a.parquet", "b.parquet", "day=1/c.parquet", "day=2/d.parquet"]),
        ("{root}/b.parquet", ["b.parquet"]),
        ("{root}/*.parquet", ["a.parquet", "b.parquet"]),
        ("{root}/[b-z].parquet", ["b.parquet"]),
        ("{root}/day=?/*.parquet", ["day=1/c.parquet", "day=2/d.parquet"]),
        ("{root}/**/[a-c].parquet", ["a.parquet", "b.parquet", "day=1/c.parquet"]),
        ("{root}/day=2, {root}/a.parquet", ["day=2/d.parquet", "a.parquet"]),
        ("file://{root}/day=1", ["day=1/c.parquet"]),
    ],
)
def test_a_path_means_these_files(root: Path, path: str, names: list[str]) -> None:
    files = open_files(path.format(root=root))
    paths = [Path(file.path.removeprefix("file://")) for file in files]
    assert [found.relative_to(root).as_posix() for found in paths] == names
    assert all(file.rows == 2 for file in files)
    assert all(file.row_group_rows == (1, 1) for file in files)


def test_a_relative_path_starts_at_the_working_directory(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    assert [f.path for f in open_files("*.parquet")] == ["a.parquet", "b.parquet"]
    assert [f.path for f in open_files("day=1")] == ["day=1/c.parquet"]


@pytest.mark.parametrize("path", ["{root}/none", "{root}/*.csv", "{root}/a.parquet,{root}/none"])
def test_a_path_without_a_file_is_an_error(root: Path, path: str) -> None:
    with pytest.raises(DataError, match="matches no file; give a Parquet file, a directory"):
        open_files(path.format(root=root))


def test_a_file_that_is_not_parquet_is_an_error(root: Path) -> None:
    with pytest.raises(DataError, match=r"notes\.txt: is not a Parquet file"):
        open_files(f"{root}/notes.txt")
