"""The order in which the rows of an epoch are read, as streams that ranks read in parallel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from raymon.data.files.data_file import DataFile

_MORE_DECODING = 0.1
"""Share of the row groups that may be cut, and so be decoded twice, to make streams even."""


@dataclass(frozen=True)
class RowRange:
    """Rows [start, stop) of one row group.

    Attributes:
        file: File that holds the rows.
        row_group: Index of the row group in the file.
        first_row: Row of the file at which the row group begins.
        start: First row, from the beginning of the row group.
        stop: Row after the last one, from the beginning of the row group.
    """

    file: DataFile
    row_group: int
    first_row: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def part(self, begin: int, end: int) -> RowRange:
        """Returns rows [begin, end) of this range."""
        start = self.start
        return RowRange(self.file, self.row_group, self.first_row, start + begin, start + end)


def row_groups(files: Sequence[DataFile]) -> list[RowRange]:
    """Returns all row groups that have rows, in the order of the files."""
    ranges = []
    for file in files:
        first_row = 0
        for index, rows in enumerate(file.row_group_rows):
            if rows:
                ranges.append(RowRange(file, index, first_row, 0, rows))
            first_row += rows
    return ranges


def shuffled(ranges: Sequence[RowRange], seed: int, epoch: int) -> list[RowRange]:
    """Returns the ranges in the random order of an epoch: a function of the arguments alone."""
    return [ranges[i] for i in _generator(seed, epoch, 0).permutation(len(ranges))]


def shuffled_rows(
    rows: int, seed: int, epoch: int, stream: int, block: int
) -> npt.NDArray[np.int64]:
    """Returns the random order of the rows of a block: a function of the arguments alone.

    Returns:
        The indices of the rows, int64 `[rows]`.
    """
    return _generator(seed, epoch, stream + 1, block).permutation(rows)


def split_into_streams(
    ranges: Sequence[RowRange], streams: int, *, even: bool
) -> list[list[RowRange]]:
    """Splits the ranges into streams; reading these in parallel keeps the order of the ranges.

    The first range goes to the first stream, the second to the second, and so on in turns.

    Then the concatenated streams are cut again, at places that make them equally long. A cut
    through a row group makes two of them decode it; so only a tenth of the row groups is cut, the
    other cuts are moved to the nearest end of a row group, and streams are not quite even.

    Args:
        ranges: Row groups, in the order of the epoch.
        streams: Number of streams.
        even: Whether streams differ by at most one row, however many row groups have to be cut.
    """
    turns = [part for first in range(streams) for part in ranges[first::streams]]
    cuts = _cuts(turns, streams, even)
    return [list(_between(turns, begin, end)) for begin, end in pairwise(cuts)]


def skip_rows(ranges: Sequence[RowRange], rows: int) -> Iterator[RowRange]:
    """Yields what is left of `ranges` without their first `rows` rows."""
    for part in ranges:
        if rows < len(part):
            yield part.part(rows, len(part))
        rows = max(rows - len(part), 0)


def _cuts(turns: Sequence[RowRange], streams: int, even: bool) -> list[int]:
    """Returns the rows of `turns` at which streams begin, and where the last one ends."""
    ends = np.cumsum([0, *map(len, turns)])
    total = int(ends[-1])
    exact = [stream * total // streams for stream in range(streams + 1)]
    if even:
        return exact
    nearest = [int(ends[np.argmin(np.abs(ends - cut))]) for cut in exact]
    distances = [abs(near - cut) for near, cut in zip(nearest, exact, strict=True)]
    cuts, left = list(exact), int(_MORE_DECODING * len(turns))
    for stream in sorted(range(1, streams), key=lambda stream: -distances[stream]):
        distance = distances[stream]
        if distance > 0 and (left > 0 or distance > total / (2 * streams)):
            left -= 1
        elif cuts[stream - 1] < nearest[stream] < cuts[stream + 1]:
            cuts[stream] = nearest[stream]
    return cuts


def _between(ranges: Sequence[RowRange], begin: int, end: int) -> Iterator[RowRange]:
    """Yields rows [begin, end) of all ranges together."""
    first = 0
    for part in ranges:
        start, stop = max(begin - first, 0), min(end - first, len(part))
        if start < stop:
            yield part.part(start, stop)
        first += len(part)


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
