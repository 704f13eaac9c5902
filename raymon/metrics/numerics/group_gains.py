"""The normalized discounted cumulative gain of each of many groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from raymon.metrics.numerics.row_codes import (
    SCORE_BITS,
    group_codes,
    run_ends,
    score_codes,
    whole_groups,
)

LAST = (1 << SCORE_BITS) - 1
"""The highest code; codes are subtracted from it, so that the highest score comes first."""


def group_ndcg(
    key: NDArray[np.int64], preds: NDArray[Any], gain: NDArray[Any], top_k: int | None
) -> tuple[NDArray[np.float64], int]:
    """Returns DCG@k over the ideal DCG@k of each group that has a gain.

    Each group is summed in the order of its ranks, and rows of one rank in that of their gains, so
    that no order of rows changes a bit.

    Args:
        key: Group of each row, `[N]`.
        preds: Scores, float32 or float64 `[N]`.
        gain: Gains, 0 or more and finite, float32 or float64 `[N]`.
        top_k: Rows of a group that count; None for all.

    Returns:
        The figures, `[G]`, in [0, 1], and the number of groups that were left out.
    """
    rows = group_codes(key)
    rows <<= SCORE_BITS
    rows |= LAST - score_codes(preds)
    order = np.argsort(rows)
    rows = rows[order]
    parts = [
        _gains(rows[part], gain[order[part]], top_k) for part in whole_groups(rows, SCORE_BITS)
    ]
    found = np.concatenate([np.empty((2, 0)), *parts], axis=1)
    gained, best = found[:, found[1] > 0]
    # After rounding, the sum of other summands can be a little above the ideal one.
    return np.minimum(gained / best, 1), found.shape[1] - len(best)


def _gains(rows: NDArray[np.uint64], gain: NDArray[Any], top_k: int | None) -> NDArray[np.float64]:
    """Returns DCG@k and ideal DCG@k of each group, `[2, G]`.

    Args:
        rows: Group and descending score of each row as bits of an integer, sorted, `[N]`.
        gain: Gains, `[N]`.
        top_k: Rows of a group that count; None for all.
    """
    run, rows_of_run = _runs(rows)
    group, rows_of_group = _runs(rows >> SCORE_BITS)
    by_gain = LAST - score_codes(gain).astype(np.int64)
    gain = gain.astype(np.float64)
    ideal = gain[np.argsort((group << SCORE_BITS) | by_gain)]
    # Rows with the same score have the mean of their gains.
    mean = np.bincount(run, gain[np.argsort((run << SCORE_BITS) | by_gain)]) / rows_of_run

    rank = np.arange(len(rows)) - np.repeat(rows_of_group.cumsum() - rows_of_group, rows_of_group)
    discounts = 1 / np.log2(np.arange(2, rows_of_group.max() + 2))
    discounts[top_k or len(discounts) :] = 0
    discount = discounts[rank]
    gained = np.bincount(group, mean[run] * discount)
    return np.stack([gained, np.bincount(group, ideal * discount)])


def _runs(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns which run of equal values each is in, `[N]`, and how long each run is, `[R]`."""
    length = np.diff(run_ends(values), prepend=-1)
    return np.repeat(np.arange(len(length)), length), length
