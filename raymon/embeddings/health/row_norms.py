"""The mean norm of rows, from a sample of them that merges by the maximum.

Rows are spread over a fixed number of places by their hash, and each place keeps the row with the
largest rest of the hash: a random sample of the distinct rows, the same for any number of ranks.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from raymon.embeddings.health.row_hash import row_hashes
from raymon.wire import SAMPLED_ROWS, TableLayout, TableSpec

_PLACE = np.uint32(SAMPLED_ROWS - 1)
_FILLED = np.uint64(1 << 63)
_NORM = np.uint64((1 << 32) - 1)


def sample(table: TableSpec, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the index of a lookup of each row that the sample keeps, of lookups `[N]`."""
    hashes = row_hashes(rows)
    places = _places(table, rows)
    # By place, then by hash: the last one of a place is kept.
    order = np.lexsort((hashes, places))
    ends = np.flatnonzero(np.diff(places[order], append=-1))
    kept: NDArray[np.int64] = order[ends]
    return kept


def add_norms(
    kept: NDArray[np.uint64],
    table: TableSpec,
    rows: NDArray[np.int64],
    embeddings: NDArray[np.float32],
) -> None:
    """Adds rows to the sample of a table.

    Args:
        kept: Places of the sample, uint64; changed.
        table: The table.
        rows: Rows, at most one a place, `[N]`.
        embeddings: Their embeddings, `[N, dim]`.
    """
    norms = np.sqrt(np.square(embeddings, dtype=np.float64).sum(axis=1)).astype(np.float32)
    # Numbers of the bits of a float that is not negative are in the order of the floats.
    packed = (row_hashes(rows).astype(np.uint64) << np.uint64(31)) & ~_NORM
    packed |= _FILLED | norms.view(np.uint32)
    places = _places(table, rows)
    kept[places] = np.maximum(kept[places], packed)


def mean_row_norms(layout: TableLayout, row_norms: NDArray[np.uint64]) -> list[float]:
    """Returns the mean Euclidean norm of the sampled rows of each table; NaN if there are none."""
    means = []
    for place in layout.row_norms:
        kept = row_norms[place]
        norms = (kept[kept > 0] & _NORM).astype(np.uint32).view(np.float32).tolist()
        means.append(math.fsum(norms) / len(norms) if _all_finite(norms) else math.nan)
    return means


def _all_finite(norms: list[float]) -> bool:
    return bool(norms) and all(map(math.isfinite, norms))


def _places(table: TableSpec, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    if table.rows <= SAMPLED_ROWS:
        return rows
    return (row_hashes(rows) & _PLACE).astype(np.int64)
