"""The share of lookups by the most frequent rows, from lookups of buckets, which merge by adding.

A table with at most `BUCKETS` rows has a bucket for each of them. In a larger one rows are hashed
to buckets: the fullest ones have the most frequent rows, and beside each of these as much of the
rest as any other bucket, which is subtracted.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from raymon.embeddings.health.row_hash import Hashes
from raymon.wire import BUCKETS, TableLayout

MOST_FREQUENT = 10
"""Number of rows whose share of the lookups is shown."""

_SHIFT = np.uint32(33 - BUCKETS.bit_length())


def buckets_of(hashes: Hashes) -> NDArray[np.int64]:
    """Returns the bucket of each row of a large table, from the hashes of rows: int64 `[N]`."""
    # The upper bits, which the bits of touched rows use last.
    return (hashes >> _SHIFT).astype(np.int64)


def top10_shares(
    layout: TableLayout, bucket_lookups: NDArray[np.int64], lookups: NDArray[np.int64]
) -> list[float]:
    """Returns the share of lookups by the ten most frequent rows of each table.

    NaN for a table without lookups.

    Args:
        layout: Places of the tables.
        bucket_lookups: Lookups of each bucket.
        lookups: Lookups of each table, int64 `[T]`.
    """
    shares = []
    places = zip(layout.tables, layout.buckets, lookups.tolist(), strict=True)
    for table, place, total in places:
        by_bucket = np.sort(bucket_lookups[place])
        top, rest = by_bucket[-MOST_FREQUENT:], by_bucket[:-MOST_FREQUENT]
        beside = 0.0
        if table.rows > table.buckets:
            beside = len(top) * int(rest.sum()) / len(rest)
        shares.append((int(top.sum()) - beside) / total if total else math.nan)
    return shares
