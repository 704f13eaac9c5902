"""Reads files as batches of tensors: the part of one rank, epoch after epoch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, closing

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.batch import Batch
from raymon.data.files.formats import FileFormat
from raymon.data.reading.batch_source import BatchSource
from raymon.data.reading.chunks import CHUNK_ROWS, ChunkReader
from raymon.data.reading.converter import Columns
from raymon.data.reading.order import (
    RowRange,
    row_groups,
    shuffled,
    shuffled_rows,
    split_into_streams,
)
from raymon.data.reading.packed_rows import join_rows
from raymon.data.reading.plan import EpochPlan, Position
from raymon.data.reading.prefetch import BYTES_AHEAD, fetch_ahead
from raymon.data.reading.stream import ShuffledStream, StreamReader
from raymon.data.reading.stream_assignment import Share, shares
from raymon.data.reading.table_files import as_schema, common_type, open_table
from raymon.data.values.canonical import kind_of_values
from raymon.errors import DataError
from raymon.results import FILES_UNREADABLE, INPUT_BATCHING

STREAMS = 8
"""Streams of data that is read in global batches of one size on any number of workers."""

_PIECES_AHEAD = 3


class DataReader:
    """A reader of the rows of one rank as batches.

    The rows of an epoch are split into streams, and each global batch takes evenly from all of
    them. With a `global_batch_size` their number is `streams`, so that the global batches are the
    same on any number of workers, whose parts of them need not be equal. Without one each worker
    has a stream, all equally long, and the global batch is `batch_size` rows of each.

    Args:
        path: Files, a directory or a glob; several are separated by commas.
        columns: Columns that are read.
        file_format: Format of the files; None for Parquet.
        batch_size: Rows of a step on this rank, if there is no `global_batch_size`.
        global_batch_size: Rows of a step on all ranks together.
        streams: Number of streams; see above.
        rank: Rank, in [0, world_size).
        world_size: Number of ranks.
        shuffle: Whether rows come in a random order, a function of `seed` and the epoch alone: row
            groups change places, then rows within blocks of each stream. If not, rows come in the
            order of the files, as far as streams that are read in parallel can keep it.
        shuffle_buffer_size: Global batches that the blocks of all streams make up.
        seed: Seed of the shuffle.
        drop_remainder: Whether the last global batch of an epoch is left out if it is not full.
        min_rows: Rows with fewer of which the last global batch of an epoch is left out.
        num_workers: Threads that decode and convert ahead, at most one more than there are CPUs; 0
            if all happens in the calling thread.
        skip_bad_files: Whether files that cannot be opened, and rows that cannot be read, are left
            out and counted.
        ranges: Rows that are read, of files that are open; None for all rows of `path`.
        sampler: Source of the candidates of a batch; None for none. With a `global_batch_size` the
            workers share the negatives that one would have, less the items of their own rows.

    Attributes:
        counts: Counts of what was wrong with the data but did not stop the run.
        rows: Rows of all files, for all ranks.

    Raises:
        DataError: There is no file, a file of another format, or too few rows for a step.
    """

    def __init__(
        self,
        path: str,
        columns: Columns,
        *,
        file_format: FileFormat | None = None,
        batch_size: int,
        global_batch_size: int | None = None,
        streams: int = STREAMS,
        rank: int = 0,
        world_size: int = 1,
        shuffle: bool = False,
        shuffle_buffer_size: int = 32,
        seed: int = 0,
        drop_remainder: bool = False,
        min_rows: int = 0,
        num_workers: int = 0,
        skip_bad_files: bool = False,
        ranges: Sequence[RowRange] | None = None,
        sampler: BatchSource | None = None,
    ) -> None:
        # If several ranks share a stream, the first of them counts what is wrong with it.
        self._chunks = ChunkReader(columns, skip_bad_files)
        self.counts = self._chunks.counts
        self._uncounted = ChunkReader(columns, skip_bad_files, self.counts.seconds)
        self._categorical = columns.categorical
        self._rank = rank
        self._world_size = world_size
        self._shuffle = shuffle
        self._shuffle_buffer_size = max(shuffle_buffer_size, 1)
        self._seed = seed
        self._dropped = (drop_remainder, min_rows)
        self._num_workers = num_workers
        self._sampler = sampler
        self._even = global_batch_size is None
        self.global_batch_size = global_batch_size or batch_size * world_size
        self.streams = streams if global_batch_size else world_size
        skipped: list[str] = []
        if ranges is None:
            files = open_table(path, columns, file_format, skipped if skip_bad_files else None)
            ranges = row_groups(files)
        else:
            files = list({id(part.file): part.file for part in ranges}.values())
        self._files, self._ranges = files, list(ranges)
        if skipped and rank == 0:
            self.counts.add(FILES_UNREADABLE, len(skipped))
        self.rows = sum(map(len, self._ranges))
        if self.rows < world_size:
            raise DataError(
                f"{path}: {self.rows} rows are fewer than {world_size} workers; every worker needs "
                "at least one"
            )
        try:
            self._plan = EpochPlan((self.rows,), self.global_batch_size, *self._dropped)
        except ValueError as error:
            raise DataError(f"{path}: {error}") from None

    def parts(self, rows: int) -> list[list[RowRange]]:
        """Returns the rows in the order of the files, in parts of so many rows; the last is less.

        Parts can be sent to other processes, where a reader takes them as its `ranges`.
        """
        parts: list[list[RowRange]] = [[]]
        room = rows
        for whole in self._ranges:
            begin = 0
            while begin < len(whole):
                if not room:
                    parts.append([])
                    room = rows
                end = min(begin + room, len(whole))
                parts[-1].append(whole.part(begin, end))
                room -= end - begin
                begin = end
        return parts

    @property
    def steps_per_epoch(self) -> int:
        """The number of steps of an epoch, equal on all ranks."""
        return self._plan.steps_from(0)

    @property
    def left_over(self) -> int:
        """The number of rows of an epoch that are in no batch."""
        return self._plan.left_over

    def steps_from(self, row: int) -> int:
        """Returns the number of steps left in an epoch after its first `row` rows."""
        return self._plan.steps_from(row)

    def rows_at(self, row: int) -> int:
        """Returns the number of rows of the global batch after `row` rows of an epoch."""
        return self._plan.rows_at(row)

    def after(self, position: Position) -> Position:
        """Returns the position after one more step."""
        row = position.row + self.rows_at(position.row)
        if self.steps_from(row):
            return Position(position.epoch, row, position.streams)
        return Position(position.epoch + 1, 0, self.streams)

    @property
    def begin(self) -> Position:
        """The position at which a run begins."""
        return Position(0, 0, self.streams)

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the data and of the order in which it is read.

        It is equal if a position means the same, and the values that become ids are of the same
        kind.
        """
        groups = [
            (part.file.path.rpartition("/")[2], part.row_group, len(part), self._kinds(part))
            for part in self._ranges
        ]
        order = [self._seed, self._shuffle_buffer_size] if self._shuffle else []
        return hashlib.sha256(repr((groups, order, self._even)).encode()).hexdigest()

    def _kinds(self, part: RowRange) -> list[str]:
        schema = part.file.schema
        return [
            kind_of_values(schema.field(name).type)
            for name in self._categorical
            if name in schema.names
        ]

    def epoch(self, epoch: int, row: int = 0, streams: int = 0) -> Generator[Batch, None, None]:
        """Yields the batches of an epoch, the same as without an interruption.

        What comes before `row` is not decoded, except in the row groups or blocks that hold it. A
        batch has no rows if the streams of this rank have none in the global batch.

        Args:
            epoch: Epoch, from 0.
            row: Rows of the epoch, of all ranks together, that are left out at its beginning.
            streams: Number of streams of the epoch, if it was begun by another number of workers; 0
                for `self.streams`.

        Returns:
            One batch a step. Closing the iterator stops its threads.

        Raises:
            DataError: A label, a weight or a value of a feature is wrong, or a file is damaged.
        """
        with ExitStack() as stack:
            pool = None
            if self._num_workers:
                # Arrow decodes on its own threads, one for each CPU; these threads wait for those.
                threads = min(self._num_workers, len(os.sched_getaffinity(0)) + 1)
                pool = ThreadPoolExecutor(threads, thread_name_prefix="raymon-data")
                stack.callback(pool.shutdown, cancel_futures=True)
            batches: Iterator[Batch] = self._batches(epoch, row, streams or self.streams, pool)
            if pool is not None:
                ahead = fetch_ahead(batches, lambda batch: batch.nbytes, BYTES_AHEAD)
                batches = stack.enter_context(closing(ahead))
            yield from batches

    @property
    def column_names(self) -> list[str]:
        """The columns that any of the files has, in the order of the files."""
        return list(dict.fromkeys(name for file in self._files for name in file.schema.names))

    def schema(self, names: Sequence[str]) -> pa.Schema:
        """Returns the types of columns that are right for all files.

        Raises:
            DataError: A file does not have a column, or types of one do not go together.
        """
        return pa.schema([(name, common_type(name, self._files)) for name in names])

    def tables(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """Yields columns of all rows as they are, in the order of the files.

        Args:
            schema: Schema of the columns, as `schema` returns it.

        Raises:
            DataError: A file cannot be read.
        """
        for part in self._ranges:
            names = schema.names
            rows = part.file.read(part.row_group, part.start, part.stop, names, (), CHUNK_ROWS)
            for _, table in rows:
                yield as_schema(table, schema, part.file.path)

    def _batches(
        self, epoch: int, row: int, streams: int, pool: Executor | None
    ) -> Iterator[Batch]:
        ranges = shuffled(self._ranges, self._seed, epoch) if self._shuffle else self._ranges
        stream_ranges = split_into_streams(ranges, streams, even=self._even)
        lengths = tuple(sum(map(len, stream)) for stream in stream_ranges)
        plan = EpochPlan(lengths, self.global_batch_size, *self._dropped)
        own = shares(streams, self._world_size, self._rank)
        begins = plan.taken(row).tolist()
        ahead = max(1, _PIECES_AHEAD // len(own))
        readers = [
            self._stream(
                stream_ranges[share.stream], share, epoch, begins[share.stream], plan, pool, ahead
            )
            for share in own
        ]
        for _ in range(plan.steps_from(row)):
            begin_row = row
            row += plan.rows_at(row)
            ends = plan.taken(row).tolist()
            pieces = []
            for share, reader in zip(own, readers, strict=True):
                begin, end = begins[share.stream], ends[share.stream]
                first, last = share.of(begin, end)
                reader.take(first - begin)
                pieces += reader.take(last - first)
                reader.take(end - last)
            begins = ends
            pieces = pieces or [self._chunks.empty(self._ranges[0])]
            with self.counts.seconds.timed(INPUT_BATCHING):
                rows = join_rows(pieces)
                if self._sampler is None:
                    batch = rows.to_batch()
                else:
                    draws = self._rank if self._even else 0
                    batch = self._sampler.batch(rows, epoch, begin_row, draws)
            yield batch

    def _stream(
        self,
        ranges: list[RowRange],
        share: Share,
        epoch: int,
        row: int,
        plan: EpochPlan,
        pool: Executor | None,
        ahead: int,
    ) -> StreamReader | ShuffledStream:
        chunks = self._uncounted if share.part else self._chunks
        if not self._shuffle:
            return StreamReader(ranges, row, chunks, pool, ahead)
        length = plan.lengths[share.stream]
        rows = self._shuffle_buffer_size * self.global_batch_size * length // plan.rows
        block_rows = max(rows, 1)

        def order(rows: int, block: int) -> npt.NDArray[np.int64]:
            return shuffled_rows(rows, self._seed, epoch, share.stream, block)

        block_begin = row - row % block_rows
        stream = StreamReader(ranges, block_begin, chunks, pool, ahead)
        seconds = self.counts.seconds
        return ShuffledStream(stream, length, block_rows, row, order, seconds)
