"""Reads any iterable as batches of tensors: the part of one rank, epoch after epoch."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from raymon.data.batch import Batch
from raymon.data.datasets.dataset_tables import TableMaker
from raymon.data.datasets.opened_dataset import ARGUMENTS, OpenedDataset, state_of
from raymon.data.input_counts import InputCounts
from raymon.data.reading.chunks import CHUNK_ROWS
from raymon.data.reading.converter import Columns, Converter, Origin
from raymon.data.reading.packed_rows import PackedRows, join_rows, take_rows
from raymon.data.reading.prefetch import BYTES_AHEAD, fetch_ahead
from raymon.results import INPUT_BATCHING, INPUT_FEATURES, INPUT_STORAGE, ROWS_LEFT_OVER

_JOIN_S = 10.0
"""Seconds that the end of an epoch waits for a dataset that yields nothing."""


@dataclass(frozen=True)
class DatasetPosition:
    """The position of one rank in an epoch of its dataset.

    Attributes:
        rows: Rows of this rank before the position.
        skip: Rows that are skipped after the state is loaded, or after the beginning of the epoch
            if there is no state.
        state: State of the dataset, as its `state_dict` returned it; None if it has none.
    """

    rows: int = 0
    skip: int = 0
    state: Any = None


@dataclass(frozen=True)
class DatasetBatch:
    """A batch of this rank.

    Attributes:
        batch: Batch; without rows at the end of the epoch.
        after: Position after it; at the end, the beginning of the next epoch.
    """

    batch: Batch
    after: DatasetPosition


@dataclass(frozen=True)
class _Chunk:
    """Rows that are converted together, and how to come back to them."""

    rows: PackedRows
    state: Any
    state_row: int


class DatasetReader:
    """A reader of what an iterable, or a function that makes one, yields to this rank.

    A function is called once an epoch, with those of `ARGUMENTS` that it names. An iterable is
    iterated once an epoch; before that its `set_epoch(epoch)` is called, if it has one. Either may
    yield its rows in any of the forms that `TableMaker` takes, any number at a time.

    With `state_dict` and `load_state_dict` (of the iterable, or of what the function returns)
    reading continues exactly where it was. The state is asked for between two pieces and at the
    end, must then count all that was yielded as read, and may hold only tensors, numbers, strings,
    lists and dictionaries. Without them an epoch begins again, and the rows that were read before
    are skipped.

    Args:
        data: Iterable, or function that makes one.
        columns: Columns that are read.
        name: Name of the dataset, for messages.
        batch_size: Rows of a batch of this rank.
        rank: Rank, in [0, world_size).
        world_size: Number of ranks.
        drop_remainder: Whether the last batch of an epoch is left out, and its rows are counted, if
            it is not full.
        min_rows: Rows with fewer of which it is left out as well.
        ahead: Whether batches are made ahead by a thread, which then is the one that iterates.

    Attributes:
        counts: Counts of what was wrong with the data but did not stop the run.
    """

    steps_per_epoch = None
    """None, because the number of steps is unknown."""

    def __init__(
        self,
        data: Any,
        columns: Columns,
        *,
        name: str,
        batch_size: int,
        rank: int = 0,
        world_size: int = 1,
        drop_remainder: bool = False,
        min_rows: int = 0,
        ahead: bool = True,
    ) -> None:
        self.name = name
        self.counts = InputCounts()
        self._data = data
        self._batch_size = batch_size
        self._rank = rank
        self._world_size = world_size
        self._least = batch_size if drop_remainder else max(1, min_rows)
        self._ahead = ahead
        self._end: DatasetPosition | None = None
        self._first: DatasetPosition | None = None
        self._converter = Converter(columns, self.counts)
        self._origin = name if world_size == 1 else f"{name}, rank {rank}"
        self._tables = TableMaker(columns, self._origin, min(batch_size, CHUNK_ROWS))

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the data, equal if a position means the same."""
        return self.name

    def epoch(self, epoch: int) -> Generator[Batch, None, None]:
        """Yields the batches of this rank of an epoch, as `batches` does; the last one has no rows.

        A dataset that has a state begins where it was before the first of these epochs, so that
        every evaluation is on the same rows.
        """
        if self._first is None:
            self._first = DatasetPosition(state=state_of(self._data, self.name))
        with closing(self.batches(epoch, self._first)) as batches:
            for item in batches:
                yield item.batch

    def batches(self, epoch: int, position: DatasetPosition) -> Generator[DatasetBatch, None, None]:
        """Yields the batches of this rank from a position in an epoch on, and its end.

        Closing the iterator stops its thread as soon as the dataset yields its next piece.

        Raises:
            DataError: The dataset yields what cannot be used, or its state cannot be kept.
        """
        batches = self._batches(epoch, position)
        if not self._ahead:
            yield from batches
            return
        ahead = fetch_ahead(batches, lambda item: item.batch.nbytes, BYTES_AHEAD, _JOIN_S)
        with closing(ahead):
            yield from ahead

    def _batches(self, epoch: int, position: DatasetPosition) -> Iterator[DatasetBatch]:
        row, pieces = position.rows, deque[PackedRows]()
        have, chunk = 0, None
        # At the end of the epoch before, the dataset already has the state to begin with.
        state = None if position is self._end else position.state
        opened = OpenedDataset(
            self._data,
            self._arguments(epoch),
            state,
            self.name,
            begins=position.rows == position.skip,
        )
        for chunk in self._chunks(opened, position):
            pieces.append(chunk.rows)
            have += chunk.rows.size
            while have >= self._batch_size:
                row += self._batch_size
                have -= self._batch_size
                yield DatasetBatch(self._batch(pieces, self._batch_size), _position(row, chunk))
        if 0 < have < self._least:
            self.counts.add(ROWS_LEFT_OVER, have)
        elif have and chunk is not None:
            yield DatasetBatch(self._batch(pieces, have), _position(row + have, chunk))
        empty = self._converter.convert(self._tables.nulls(0), Origin(self._origin, 0))
        self._end = DatasetPosition(state=opened.state_at_end())
        yield DatasetBatch(empty.to_batch(), self._end)

    def _arguments(self, epoch: int) -> dict[str, int]:
        return dict(zip(ARGUMENTS, (self._rank, self._world_size, epoch), strict=True))

    def _chunks(self, opened: OpenedDataset, position: DatasetPosition) -> Iterator[_Chunk]:
        row = position.rows - position.skip
        tables = self._tables.tables(opened, position.state, opened.state)
        # Where a dataset has its rows from, it alone knows.
        for state, table in self.counts.seconds.drawn(INPUT_STORAGE, tables):
            state_row = row
            for begin in range(0, len(table), CHUNK_ROWS):
                part = table.slice(begin, CHUNK_ROWS)
                row += len(part)
                passed = max(len(part) - (row - position.rows), 0)
                if passed < len(part):
                    rows = self._convert(part.slice(passed), row - len(part) + passed)
                    yield _Chunk(rows, state, state_row)

    def _convert(self, table: pa.Table, first_row: int) -> PackedRows:
        with self.counts.seconds.timed(INPUT_FEATURES):
            return self._converter.convert(table, Origin(self._origin, first_row))

    def _batch(self, pieces: deque[PackedRows], rows: int) -> Batch:
        with self.counts.seconds.timed(INPUT_BATCHING):
            return join_rows(take_rows(pieces, rows)).to_batch()


def _position(row: int, chunk: _Chunk) -> DatasetPosition:
    if chunk.state is None:
        return DatasetPosition(row, row)
    return DatasetPosition(row, row - chunk.state_row, chunk.state)


def missing_rows(columns: Columns, rows: int) -> Batch:
    """Returns rows in which every column is null; `columns` must have no labels or weights."""
    table = TableMaker(columns, "missing values", rows).nulls(rows)
    return Converter(columns, InputCounts()).convert(table, Origin("missing values", 0)).to_batch()
