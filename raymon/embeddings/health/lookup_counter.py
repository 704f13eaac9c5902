"""Counts the lookups of one rank, on a thread that may take its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from raymon.embeddings.health.distinct_rows import bits_of
from raymon.embeddings.health.frequent_rows import buckets_of
from raymon.embeddings.health.row_hash import row_hashes
from raymon.embeddings.health.row_norms import add_norms, sample
from raymon.wire import BUCKETS, CELLS, LEVELS, TableLayout, TableSketches, TableSpec

_CHUNK = 1 << 14
"""Ids that are counted at once: few enough for the caches, and for torch to take one thread."""


class LookupCounter:
    """The lookups of one rank since the last `take`.

    Args:
        layout: The tables.
    """

    def __init__(self, layout: TableLayout) -> None:
        self._layout = layout
        self._tables = [_counts_of(table) for table in layout.tables]
        self._lookups = np.zeros(len(layout.tables), np.int64)
        self._norms = TableSketches.empty(layout).row_norms
        self._incomplete = False

    def add(self, table: int, parts: Iterable[Tensor]) -> None:
        """Adds lookups of rows of a table.

        Args:
            table: Index of the table in the layout.
            parts: Rows, int64 `[N]` each, on the CPU.
        """
        for rows in _chunks(parts):
            self._lookups[table] += len(rows)
            self._tables[table].add(rows)

    def lose(self) -> None:
        """Notes that lookups are missing."""
        self._incomplete = True

    def sample(self, table: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the indices of those lookups `[N]` of a table whose norms are to be added."""
        return sample(self._layout.tables[table], rows)

    def add_norms(
        self, table: int, rows: NDArray[np.int64], embeddings: NDArray[np.float32]
    ) -> None:
        """Adds the norms of rows that `sample` chose, `[N]`, with embeddings `[N, dim]`."""
        kept = self._norms[self._layout.row_norms[table]]
        add_norms(kept, self._layout.tables[table], rows, embeddings)

    def take(self) -> TableSketches:
        """Returns the lookups since the last call."""
        sketches = TableSketches.empty(self._layout)
        places = zip(self._tables, self._layout.touched, self._layout.buckets, strict=True)
        for counts, touched, buckets in places:
            counts.take(sketches.touched[touched], sketches.bucket_lookups[buckets])
        sketches.lookups += self._lookups
        sketches.row_norms |= self._norms
        sketches.incomplete = self._incomplete
        self._lookups[:] = 0
        self._norms[:] = 0
        self._incomplete = False
        return sketches


class _CountsOfRows:
    """The lookups of each row of a small table."""

    def __init__(self, table: TableSpec) -> None:
        self._lookups = np.zeros(table.rows, np.int64)
        # The same memory. By torch, as numpy's `bincount` and `add.at` hold the GIL, for which
        # training would wait.
        self._counts = torch.from_numpy(self._lookups)
        self._buckets: NDArray[np.int64] | None = None
        if table.rows > table.buckets:
            self._buckets = buckets_of(row_hashes(np.arange(table.rows)))

    def add(self, rows: Tensor) -> None:
        """Counts lookups `[N]`, at most `_CHUNK`."""
        self._counts.scatter_add_(0, rows, _ones[: len(rows)])

    def take(self, touched: NDArray[np.uint8], bucket_lookups: NDArray[np.int64]) -> None:
        """Writes the sketches of what was counted, and begins anew."""
        touched[:] = np.packbits(self._lookups > 0)
        if self._buckets is None:
            bucket_lookups[:] = self._lookups
        else:
            np.add.at(bucket_lookups, self._buckets, self._lookups)
        self._lookups[:] = 0


class _CountsOfHashes:
    """The sketches of a large table, filled as lookups come."""

    def __init__(self) -> None:
        self._touched = np.zeros(LEVELS * CELLS, np.bool_)
        self._lookups = np.zeros(BUCKETS, np.int64)
        self._counts = torch.from_numpy(self._lookups)

    def add(self, rows: Tensor) -> None:
        """Counts lookups `[N]`, at most `_CHUNK`."""
        hashes = row_hashes(rows.numpy())
        self._touched[bits_of(hashes)] = True
        buckets = torch.from_numpy(buckets_of(hashes))
        self._counts.scatter_add_(0, buckets, _ones[: len(rows)])

    def take(self, touched: NDArray[np.uint8], bucket_lookups: NDArray[np.int64]) -> None:
        """Writes the sketches of what was counted, and begins anew."""
        touched[:] = np.packbits(self._touched)
        bucket_lookups[:] = self._lookups
        self._touched[:] = False
        self._lookups[:] = 0


def _counts_of(table: TableSpec) -> _CountsOfRows | _CountsOfHashes:
    return _CountsOfRows(table) if table.is_exact else _CountsOfHashes()


def _chunks(parts: Iterable[Tensor]) -> Iterator[Tensor]:
    """Yields the same rows in parts of at most `_CHUNK`, and of few rows only at the end."""
    gathered: list[Tensor] = []
    count = 0
    for part in parts:
        for rows in part.split(_CHUNK):
            if count + len(rows) > _CHUNK:
                yield torch.cat(gathered)
                gathered, count = [], 0
            gathered.append(rows)
            count += len(rows)
    if count:
        yield torch.cat(gathered)


_ones = torch.ones(_CHUNK, dtype=torch.int64, device="cpu")
