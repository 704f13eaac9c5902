"""Parquet files to batches of tensors: the part of one rank, epoch after epoch."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import Batch, IdList
from raymon.data.columns import as_float64
from raymon.data.feature import Feature
from raymon.data.hashing import key_ids
from raymon.data.labels import LabelKind
from raymon.data.order import (
    RowRange,
    row_ranges,
    shuffled_ranges,
    shuffled_rows,
    skip_rows,
)
from raymon.data.parquet import open_files
from raymon.data.plan import EpochPlan
from raymon.data.prefetch import map_ahead
from raymon.errors import DataError

# Row groups and blocks can be large; two of each in flight keep a consumer fed.
_TABLES_AHEAD = 2


class ParquetReader:
    """Reads the rows of one rank as batches.

    Args:
        path: files, a directory or a glob; several are separated by commas.
        features: what to make of the columns.
        labels: by column, what its values must be.
        weights: columns of sample weights, finite and not negative.
        keys: columns of grouping keys.
        batch_size: rows a step of this rank.
        rank: in [0, world_size).
        world_size: number of ranks.
        shuffle: a random order, which depends on `seed`, the epoch and the rank alone: ranges of
            rows (of one row group each) change places, then rows within blocks.
        shuffle_buffer_size: batches a block.
        seed: of the shuffle.
        drop_remainder: only full batches.
        num_workers: threads that decode and convert ahead; 0: all happens in the calling thread.
        num_class: number of classes of a label of kind CLASS; None: not checked.

    Raises:
        DataError: no file, a file that is not Parquet, or too few rows for a step on every rank.
    """

    def __init__(
        self,
        path: str,
        features: Sequence[Feature],
        *,
        labels: Mapping[str, LabelKind],
        weights: Sequence[str] = (),
        keys: Sequence[str] = (),
        batch_size: int,
        rank: int = 0,
        world_size: int = 1,
        shuffle: bool = False,
        shuffle_buffer_size: int = 32,
        seed: int = 0,
        drop_remainder: bool = False,
        num_workers: int = 0,
        num_class: int | None = None,
    ) -> None:
        self._features = list(features)
        self._labels = dict(labels)
        self._weights = list(weights)
        self._keys = list(keys)
        self._rank = rank
        self._shuffle = shuffle
        self._shuffle_buffer_size = max(shuffle_buffer_size, 1)
        self._seed = seed
        self._num_workers = num_workers
        self._num_class = num_class
        used = [f.column for f in self._features] + [*self._labels, *self._weights, *self._keys]
        self._columns = list(dict.fromkeys(used))
        files = open_files(path)
        try:
            self._plan = EpochPlan(
                sum(file.rows for file in files), world_size, batch_size, drop_remainder
            )
        except ValueError as error:
            raise DataError(f"{path}: {error}") from None
        self._ranges = row_ranges(files, self._plan.first_row(rank), self._plan.first_row(rank + 1))

    @property
    def rows(self) -> int:
        """Rows of the data set, of all ranks."""
        return self._plan.rows

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, equal on all ranks."""
        return self._plan.steps

    def rows_at(self, step: int) -> int:
        """Rows of the global batch of a step of an epoch, of all ranks together."""
        return self._plan.rows_at(step)

    def epoch(self, epoch: int, start_step: int = 0) -> Generator[Batch, None, None]:
        """The batches of an epoch from `start_step` on, as an undisturbed epoch has them there.

        What comes before is not decoded, except in the row group or block that `start_step` is
        in. Closing the iterator stops its threads.

        Raises:
            DataError: a label, a weight or a value of a feature is wrong, or a file is damaged.
        """
        with ExitStack() as stack:
            pool = None
            if self._num_workers:
                pool = ThreadPoolExecutor(self._num_workers, thread_name_prefix="raymon-data")
                stack.callback(pool.shutdown, cancel_futures=True)
            if self._shuffle:
                tables = self._shuffled(epoch, start_step, pool)
            else:
                ranges = skip_rows(self._ranges, self._plan.begin(self._rank, start_step))
                batches = self._sizes(start_step)
                tables = _cut(map_ahead(self._decode, ranges, pool, _TABLES_AHEAD), batches)
            yield from map_ahead(self._convert, tables, pool, self._num_workers + 1)

    def _sizes(self, start_step: int, stride: int = 1) -> Iterator[int]:
        """Rows of this rank in steps [start_step, start_step + stride), and so on."""
        begins = [
            self._plan.begin(self._rank, min(step, self._plan.steps))
            for step in range(start_step, self._plan.steps + stride, stride)
        ]
        return (end - begin for begin, end in pairwise(begins))

    def _shuffled(self, epoch: int, start_step: int, pool: Executor | None) -> Iterator[pa.Table]:
        per_block = self._shuffle_buffer_size
        first_block = start_step // per_block
        first_step = first_block * per_block

        def permute(numbered: tuple[int, pa.Table]) -> pa.Table:
            block, table = numbered
            order = shuffled_rows(len(table), self._seed, epoch, self._rank, block)
            return table.combine_chunks().take(pa.array(order))

        ranges = skip_rows(
            shuffled_ranges(self._ranges, self._seed, epoch, self._rank),
            self._plan.begin(self._rank, first_step),
        )
        decoded = map_ahead(self._decode, ranges, pool, _TABLES_AHEAD)
        blocks = enumerate(_cut(decoded, self._sizes(first_step, per_block)), first_block)
        batches = _cut(map_ahead(permute, blocks, pool, _TABLES_AHEAD), self._sizes(first_step))
        for step, batch in enumerate(batches, first_step):
            if step >= start_step:
                yield batch

    def _decode(self, part: RowRange) -> pa.Table:
        """A range of rows; labels and weights are checked here, where rows have numbers."""
        table = part.file.read_row_group(part.row_group, self._columns)
        table = table.slice(part.start, len(part))
        for name, kind in self._labels.items():
            values = as_float64(table[name])
            requirement = f"a label must be {kind.requirement(self._num_class)}"
            _check_rows(part, table, name, kind.valid(values, self._num_class), requirement)
        for name in self._weights:
            values = as_float64(table[name])
            valid = (values >= 0) & (values <= np.finfo(np.float32).max)
            _check_rows(part, table, name, valid, "a weight must be finite and not negative")
        return table

    def _convert(self, table: pa.Table) -> Batch:
        batch = Batch(size=len(table))
        for feature in self._features:
            value = feature.convert(table[feature.column])
            if isinstance(value, IdList):
                batch.sparse[feature.name] = value
            else:
                batch.dense[feature.name] = value
        batch.labels = {name: _float32(table[name]) for name in self._labels}
        batch.weights = {name: _float32(table[name]) for name in self._weights}
        batch.keys = {name: key_ids(table[name]) for name in self._keys}
        return batch


def _float32(column: pa.ChunkedArray) -> torch.Tensor:
    return torch.from_numpy(as_float64(column).astype(np.float32))


def _check_rows(
    part: RowRange,
    table: pa.Table,
    column: str,
    valid: npt.NDArray[np.bool_],
    requirement: str,
) -> None:
    if not valid.all():
        row = int(np.argmin(valid))
        raise DataError(
            f"{part.file.path}: column {column}, row {part.first_row + part.start + row}: value "
            f"{table[column][row].as_py()!r}; {requirement}"
        )


def _cut(tables: Iterable[pa.Table], sizes: Iterable[int]) -> Iterator[pa.Table]:
    """The rows of `tables` in tables of the given sizes, without copying them."""
    source = iter(tables)
    waiting: deque[pa.Table] = deque()
    for size in sizes:
        parts = []
        while size:
            table = waiting.popleft() if waiting else next(source)
            parts.append(table.slice(0, size))
            if len(table) > size:
                waiting.appendleft(table.slice(size))
            size -= len(parts[-1])
        yield pa.concat_tables(parts) if len(parts) > 1 else parts[0]
