"""The area under the ROC curve of each of many groups."""

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

ROW_BITS = SCORE_BITS + 1
"""Bits of a row within its group."""


def group_areas(
    key: NDArray[np.int64],
    preds: NDArray[Any],
    positive: NDArray[np.bool_],
    units: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float64], int]:
    """Returns the area under the ROC curve of each group that has both classes; ties count half.

    It is the share of pairs whose positive scores above its negative (Mann & Whitney 1947); a pair
    weighs the product of its weights. Counts are integers and each group is summed in the order of
    its scores, so that no order of rows changes a bit.

    Args:
        key: Group of each row, `[N]`.
        preds: Scores, float32 or float64 `[N]`.
        positive: Whether each row is positive, `[N]`.
        units: Weights, 0 or more, below 2^62 in a class of a group, `[N]`; None if all weigh the
            same.

    Returns:
        The areas, `[G]`, in [0, 1], and the number of groups that were left out.
    """
    # Within a group in the order of the scores, among equal ones the negatives first.
    rows = group_codes(key)
    rows <<= SCORE_BITS
    rows |= score_codes(preds)
    rows <<= 1
    rows |= positive
    if units is None:
        rows.sort()
    else:
        order = np.argsort(rows)
        rows, units = rows[order], units[order]
    parts = [
        _areas(rows[part], None if units is None else units[part])
        for part in whole_groups(rows, ROW_BITS)
    ]
    areas = np.concatenate([np.empty(0), *(areas for areas, _ in parts)])
    return areas, sum(groups for _, groups in parts) - len(areas)


def _areas(
    rows: NDArray[np.uint64], units: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], int]:
    """Returns the areas of the groups that have both classes, and the number of all groups.

    Args:
        rows: Group, score and class of each row as bits of an integer, sorted, `[N]`.
        units: Weights, `[N]`; None if all weigh the same.
    """
    # Runs of rows that are equal in group, score and class.
    end = run_ends(rows)
    run = rows[end]
    total = end + 1 if units is None else np.cumsum(units)[end]
    weight = np.diff(total, prepend=0)
    is_positive = (run & 1).astype(bool)
    negatives = np.cumsum(weight * ~is_positive)

    last = run_ends(run >> ROW_BITS)
    negative = np.diff(negatives[last], prepend=0)
    pairs = (np.diff(total[last], prepend=0) - negative) * negative.astype(np.float64)

    at = np.flatnonzero(is_positive)
    group = np.searchsorted(last, at)
    below = negatives[at] - (negatives[last] - negative)[group]
    # The run of the negatives with the same score is the run before. Before the first run, index
    # -1 is the last run, which is never of negatives with the same score.
    tied = np.where(run[at] ^ run[at - 1] == 1, weight[at - 1], 0)
    twice = np.bincount(group, (2 * below - tied) * weight[at].astype(np.float64), len(last))

    both = pairs > 0
    # After rounding, the sum of products can be a little above the product of sums.
    return np.minimum(twice[both] / (2 * pairs[both]), 1), len(last)
