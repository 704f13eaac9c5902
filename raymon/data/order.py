"""In which order a rank reads its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raymon.data.parquet import ParquetFile


@dataclass(frozen=True)
class RowRange:
    """Rows [start, stop) of one row group.

    Attributes:
        file: that holds it.
        row_group: index in the file.
        first_row: row of the file at which the row group begins.
        start: from the beginning of the row group.
        stop: from the beginning of the row group.
    """

    file: ParquetFile
    row_group: int
    first_row: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def row_ranges(files: Sequence[ParquetFile], begin: int, end: int) -> list[RowRange]:
    """Rows [begin, end) of the concatenated files, cut at row groups."""
    ranges = []
    group_begin = 0
    for file in files:
        file_begin = group_begin
        for index, rows in enumerate(file.row_group_rows()):
            start, stop = max(begin - group_begin, 0), min(end - group_begin, rows)
            if start < stop:
                ranges.append(RowRange(file, index, group_begin - file_begin, start, stop))
            group_begin += rows
    return ranges


def skip_rows(ranges: Sequence[RowRange], rows: int) -> Iterator[RowRange]:
    """What is left of `ranges` without their first `rows` rows."""
    for part in ranges:
        if rows < len(part):
            yield RowRange(part.file, part.row_group, part.first_row, part.start + rows, part.stop)
        rows = max(rows - len(part), 0)


def shuffled_ranges(ranges: Sequence[RowRange], seed: int, epoch: int, rank: int) -> list[RowRange]:
    """The ranges in the random order of an epoch: a function of the arguments alone."""
    order = _generator(seed, epoch, rank, 0).permutation(len(ranges))
    return [ranges[i] for i in order]


def shuffled_rows(rows: int, seed: int, epoch: int, rank: int, block: int) -> npt.NDArray[np.int64]:
    """The random order of the rows of a block: int64 `[rows]`, a function of the arguments."""
    return _generator(seed, epoch, rank, block + 1).permutation(rows)


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
