"""Where the positives of each of many groups are in the order of the scores.

Rows with equal scores have no order among them: each figure is its mean over all orders that they
may have (McSherry and Najork 2008, "Computing Information Retrieval Performance Measures
Efficiently in the Presence of Tied Scores"), so that no order of rows changes a bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

_LAST = (1 << SCORE_BITS) - 1
_ROW_BITS = SCORE_BITS + 1
_NO_END = 1 << 62

Figure = Callable[["Runs", int], NDArray[np.float64]]
"""Function of the runs of groups and of the ranks that count, which returns `[G]`."""


@dataclass(frozen=True)
class Runs:
    """Runs of rows with equal scores, in groups that have a positive; from the highest score on.

    Attributes:
        group: Index of the group of each run, rising, `[R]`.
        above: Rows of the group with a higher score, `[R]`.
        rows: Rows of the run, `[R]`.
        positives: Positives of the run, `[R]`.
        positives_above: Positives of the group with a higher score, `[R]`.
        positives_of_group: Positives of each group, 1 or more, `[G]`.
    """

    group: NDArray[np.int64]
    above: NDArray[np.int64]
    rows: NDArray[np.int64]
    positives: NDArray[np.int64]
    positives_above: NDArray[np.int64]
    positives_of_group: NDArray[np.int64]

    def first(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Returns `above`, `rows`, `positives` of the first run with a positive of each group."""
        first = (self.positives > 0) & (self.positives_above == 0)
        return self.above[first], self.rows[first], self.positives[first]


def group_figures_by_rank(
    key: NDArray[np.int64],
    preds: NDArray[Any],
    positive: NDArray[np.bool_],
    figure: Figure,
    top_k: int | None,
) -> tuple[NDArray[np.float64], int]:
    """Returns a figure of each group that has a positive.

    Args:
        key: Group of each row, `[N]`.
        preds: Scores, float32 or float64 `[N]`.
        positive: Whether each row is positive, `[N]`.
        figure: `hit_rates`, `reciprocal_ranks` or `average_precisions`.
        top_k: Rows of a group that count; None for all.

    Returns:
        The figures, `[G]`, in [0, 1], and the number of groups without a positive.
    """
    codes = group_codes(key)
    codes <<= SCORE_BITS
    codes |= _LAST - score_codes(preds)
    codes <<= 1
    codes |= positive
    codes.sort()
    parts, skipped = [np.empty(0)], 0
    for part in whole_groups(codes, _ROW_BITS):
        runs, without = _runs(codes[part])
        skipped += without
        parts.append(np.clip(figure(runs, top_k or _NO_END), 0, 1))
    return np.concatenate(parts), skipped


def hit_rates(runs: Runs, top_k: int) -> NDArray[np.float64]:
    """Returns the probability that a positive is among the first `top_k` rows of each group."""
    above, rows, positives = runs.first()
    places = np.clip(top_k - above, 0, rows)
    missed = np.ones(len(rows))
    for place in range(int(places.max(initial=0))):
        # Of the rows that are left, those that are no positives.
        is_there = place < places
        share = (rows - positives - place) / np.maximum(rows - place, 1)
        missed = np.where(is_there, missed * np.maximum(share, 0), missed)
        if not (missed[places > place + 1] > 0).any():
            break
    return 1 - missed


def reciprocal_ranks(runs: Runs, top_k: int) -> NDArray[np.float64]:
    """Returns the mean of 1 / rank of the first positive of each group, 0 below `top_k` rows."""
    above, rows, positives = runs.first()
    value, none_yet = np.zeros(len(rows)), np.ones(len(rows))
    left, place = np.arange(len(rows)), 0
    while len(left):
        of, rank = left, above[left] + place + 1
        share = positives[of] / (rows[of] - place)
        value[of] += np.where(rank <= top_k, none_yet[of] * share / rank, 0)
        none_yet[of] *= 1 - share
        place += 1
        # The first positive is one of the first rows - positives + 1.
        left = of[(place <= rows[of] - positives[of]) & (rank < top_k)]
    return value


def average_precisions(runs: Runs, top_k: int) -> NDArray[np.float64]:
    """Returns the average precision of each group, of its first `top_k` rows.

    That is the mean over the positives of the precision at their ranks, 0 for those below `top_k`;
    over as many positives as may be among the first `top_k`.
    """
    some = runs.positives > 0
    rows = runs.rows[some]
    place = np.arange(rows.sum()) - np.repeat(rows.cumsum() - rows, rows)
    total, positives = np.repeat(rows, rows), np.repeat(runs.positives[some], rows)
    # A row of the run is a positive with this probability, and then these are above it.
    share = positives / total
    others = place * (positives - 1) / np.maximum(total - 1, 1)
    rank = np.repeat(runs.above[some], rows) + place + 1
    precision = (np.repeat(runs.positives_above[some], rows) + others + 1) / rank
    gained = np.where(rank <= top_k, share * precision, 0)
    groups = len(runs.positives_of_group)
    summed = np.bincount(np.repeat(runs.group[some], rows), gained, minlength=groups)
    return summed / np.minimum(runs.positives_of_group, top_k)


def _runs(codes: NDArray[np.uint64]) -> tuple[Runs, int]:
    """Returns the runs of the groups with a positive, and the number of groups without one.

    Args:
        codes: Group, descending score and class of each row as bits, sorted, `[N]`.
    """
    end = run_ends(codes >> 1)
    rows = np.diff(end, prepend=-1)
    up_to = np.cumsum((codes & 1).astype(np.int64))[end]
    positives = np.diff(up_to, prepend=0)
    group_end = run_ends(codes[end] >> _ROW_BITS)
    runs_of_group = np.diff(group_end, prepend=-1)
    group = np.repeat(np.arange(len(group_end)), runs_of_group)
    rows_before = np.concatenate([[0], end[group_end] + 1])[group]
    positives_before = np.concatenate([[0], up_to[group_end]])[group]
    positives_of_group = np.diff(up_to[group_end], prepend=0)
    there = positives_of_group > 0
    kept, number = there[group], np.cumsum(there) - 1
    runs = Runs(
        number[group][kept],
        (end + 1 - rows - rows_before)[kept],
        rows[kept],
        positives[kept],
        (up_to - positives - positives_before)[kept],
        positives_of_group[there],
    )
    return runs, int((~there).sum())
