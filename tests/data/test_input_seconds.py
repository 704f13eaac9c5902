"""The seconds of reading are told by part, and what was fetched is what the file has."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs

from raymon.data.files.byte_ranges import fetch_ranges, joined, page_in
from raymon.data.files.found_file import find_files
from raymon.data.files.parquet import ParquetFile
from raymon.data.input_seconds import InputSeconds
from raymon.results import INPUT_DECODING, INPUT_FEATURES, INPUT_PARTS, INPUT_STORAGE

RANGES = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 10)), min_size=1, max_size=6)


def test_seconds_add_up_by_part_until_they_are_taken() -> None:
    times = iter([0.0, 1.0, 5.0, 7.0, 10.0, 10.5, 20.0, 21.0])
    seconds = InputSeconds(lambda: next(times))
    with seconds.timed(INPUT_FEATURES):
        pass
    assert list(seconds.drawn(INPUT_STORAGE, iter("ab"))) == ["a", "b"]
    assert seconds.take() == {
        **dict.fromkeys(INPUT_PARTS, 0.0),
        INPUT_FEATURES: 1.0,
        INPUT_STORAGE: 2.0 + 0.5 + 1.0,
    }
    assert seconds.take() == dict.fromkeys(INPUT_PARTS, 0.0)


@given(RANGES, st.integers(0, 20))
def test_what_was_fetched_is_at_its_place(ranges: list[tuple[int, int]], hole: int) -> None:
    content = bytes(range(100, 200))
    wanted = [(begin, begin + size) for begin, size in ranges]
    reads = joined(wanted, hole)
    assert all(before[1] + hole < after[0] for before, after in itertools.pairwise(reads))
    found = fetch_ranges(pa.BufferReader(content), len(content), reads)
    assert found is not None
    for begin, end in wanted:
        assert any(first <= begin and end <= last for first, last in reads)
        found.seek(begin)
        assert found.read(end - begin) == content[begin:end]


@pytest.mark.parametrize("is_local", [True, False])
def test_columns_are_the_same_whether_they_were_fetched_or_not(
    tmp_path: Path, is_local: bool
) -> None:
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "a": rng.integers(0, 9, 500),
            "tags": [[str(x)] * (x % 3) for x in rng.integers(0, 9, 500)],
            "left_out": rng.normal(size=500),
            "b": [f"t{x}" for x in rng.integers(0, 9, 500)],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=200)
    (found,) = find_files(str(tmp_path / "a.parquet"), [".parquet"], "Parquet files")
    if not is_local:
        found = replace(found, filesystem=fs.SubTreeFileSystem("/", found.filesystem))
    file = ParquetFile(found)
    seconds = InputSeconds()
    names = ["a", "tags", "b"]
    read = [
        piece
        for group in range(3)
        for _, piece in file.read(group, 0, file.row_group_rows[group], names, (), 1000, seconds)
    ]
    assert pa.concat_tables(read).equals(table.select(names))
    taken = seconds.take()
    assert taken[INPUT_STORAGE] > 0
    assert taken[INPUT_DECODING] > 0


def test_a_file_that_cannot_be_read_ahead_is_left_to_who_decodes_it(tmp_path: Path) -> None:
    page_in(str(tmp_path / "nothing"), [(0, 10)])
    (tmp_path / "short").write_bytes(b"12345")
    page_in(str(tmp_path / "short"), [(0, 10), (20, 30)])
