from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, feather

from raymon.data import CsvFormat, FileFormat, FileKind
from raymon.data.files import csv_file as csv_files
from raymon.data.files.data_file import DataFile
from raymon.data.files.formats import open_files
from raymon.errors import DataError
from tests.data.reading.test_reader import global_batches, reader, row_numbers, table

HEADED = FileFormat(FileKind.CSV, CsvFormat(with_header=True))


def all_rows(file: DataFile, columns: list[str]) -> list[dict[str, object]]:
    rows = []
    for group, count in enumerate(file.row_group_rows):
        for _, piece in file.read(group, 0, count, columns, [], 1 << 15):
            rows += piece.to_pylist()
    return rows


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "ROW_GROUP", 7)
    monkeypatch.setattr(csv_files, "_BLOCK", 64)


CELLS = st.lists(
    st.tuples(
        st.none() | st.integers(-99, 99), st.none() | st.text("abé ", min_size=1, max_size=9)
    ),
    max_size=40,
)


@settings(deadline=None)
@given(CELLS, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.data())
def test_the_rows_of_a_csv_file_are_its_lines(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[tuple[int | None, str | None]],
    end: str,
    ends: bool,
    header: bool,
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    lines = ["number,text"] if header else []
    for number, text in cells:
        lines += [""] * data.draw(st.integers(0, 2))  # empty lines are no rows
        lines.append(f"{'' if number is None else number},{text or ''}")
    path.write_bytes((end.join(lines) + end * ends).encode())
    types = {"number": pa.int64(), "text": pa.string()}
    form = FileFormat(FileKind.CSV, CsvFormat(with_header=header, types=types))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "ROW_GROUP", 7)
        patch.setattr(csv_files, "_BLOCK", 64)
        (file,) = open_files(str(path), form)
        assert file.rows == len(cells)
        found = all_rows(file, ["text", "number"])
    assert found == [{"text": text, "number": number} for number, text in cells]


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "csv": csv.write_csv,
    "csv.gz": lambda rows, path: path.write_bytes(gzip.compress(as_csv(rows))) and None,
    "csv.bz2": lambda rows, path: path.write_bytes(bz2.compress(as_csv(rows))) and None,
    "arrow": lambda rows, path: feather.write_feather(rows, path, chunksize=7),
    "parquet": lambda rows, path: pq.write_table(rows, path, row_group_size=7),
}


def as_csv(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    csv.write_csv(rows, sink)
    return sink.getvalue().to_pybytes()


def format_of(ending: str) -> FileFormat:
    if ending.startswith("csv"):
        return HEADED
    return FileFormat(FileKind.IPC if ending == "arrow" else FileKind.PARQUET)


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("ending", WRITERS)
def test_all_formats_give_the_same_batches(tmp_path: Path, ending: str, shuffle: bool) -> None:
    for name in (ending, "parquet"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        WRITERS[name](table(range(40)), folder / f"a.{name}")
        WRITERS[name](table(range(40, 55)), folder / f"b.{name}")
    options = {"global_batch_size": 8, "streams": 3, "shuffle": shuffle}
    expected = global_batches(tmp_path / "parquet", 1, **options)
    for world_size in (1, 2):
        found = global_batches(
            tmp_path / ending, world_size, **options, file_format=format_of(ending)
        )
        assert found == expected
    source = reader(tmp_path / ending, **options, file_format=format_of(ending))
    assert row_numbers(list(source.epoch(1, 24))) == expected[3:]


def test_a_value_of_another_type_is_an_error_that_names_the_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("row,click\n" + "1,0\n" * 5 + "x,0\n")
    form = FileFormat(FileKind.CSV, CsvFormat(with_header=True, types={"row": pa.int64()}))
    with pytest.raises(DataError, match=r"a\.csv: line 7: column row: value 'x' is no integer; .*"):
        open_files(str(tmp_path), form)


@pytest.mark.usefixtures("small_groups")
def test_a_line_break_in_a_value_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("row,text\n" + "1,a\n" * 30 + '2,"b\nc"\n')
    with pytest.raises(DataError, match=r"a\.csv: line 32: has a quote that is not closed"):
        open_files(str(path), HEADED)


@pytest.mark.parametrize("ending", ["arrow", "csv.gz"])
def test_a_damaged_file_is_an_error(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    WRITERS[ending](table(range(2000)), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=f"{path}: is not a"):
        open_files(str(path), format_of(ending))


def test_the_formats_say_what_they_lack() -> None:
    assert FileFormat().limitation == ""
    assert "neither how many rows there are nor where one begins" in HEADED.limitation
    assert "does not tell how many rows" in FileFormat(FileKind.IPC).limitation


def test_an_empty_csv_file_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("row,click\n")
    (file,) = open_files(str(tmp_path), HEADED)
    assert (file.rows, file.schema.names) == (0, ["row", "click"])
