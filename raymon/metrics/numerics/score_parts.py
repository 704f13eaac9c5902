"""A few bins of scores that show a whole evaluation: of scores by class, and of calibration."""

from __future__ import annotations

import numpy as np

from raymon.metrics.numerics.class_counts import Array, ClassCounts, first_at, sums_from
from raymon.results import short

BINS = 50
"""Bins of scores by class, at most."""

CALIBRATION_BINS = 20
"""Bins of calibration, at most."""

_TAIL = 0.005
"""Share of a class that may be in the first or last bin, which reaches as far as its scores do."""

DIGITS = 9
"""Digits of an edge between two bins, and of what is written of them."""

_ALONE = 1e-3
"""Half the width of the bin of a score that is alone."""

_WIDEST = 1e-3
"""Width of bins above which the mean of the scores in them is not known well enough."""


def scores_by_class(counts: ClassCounts) -> tuple[Array, Array, Array]:
    """Returns a histogram of the scores of each class.

    Bins are equally wide, apart from the first and the last one, which reach out to the lowest and
    the highest score. Where the counts are of bins, edges are edges of those, to nine digits, so
    that each bin has what lies in it.

    Args:
        counts: Counts that weigh something.

    Returns:
        Edges `[n + 1]`, weight of the negatives `[n]` and of the positives `[n]`, n at most `BINS`.
    """
    first, last = _ends(counts)
    inner: Array = np.linspace(*_middle(counts), BINS - 1)
    if counts.edges is None:
        ends = counts.scores[[first, last]].astype(np.float64)
        inner = np.unique(_rounded(inner))
        inner = inner[(inner > ends[0]) & (inner < ends[1])]
        starts = first_at(counts.scores, inner)
    else:
        ends = counts.edges[[first, last + 1]]
        # Of the bins of the counts, those that begin next to these.
        starts = np.unique(np.searchsorted(counts.edges[:-1], inner))
        inner = counts.edges[starts]
        inside = (inner > ends[0]) & (inner < ends[1])
        starts, inner = starts[inside], _rounded(inner[inside])
    if ends[0] == ends[1]:
        ends = (ends + np.array([-_ALONE, _ALONE])).clip(0, 1)
    edges = np.concatenate([ends[:1], inner, ends[1:]])
    starts = np.append(0, starts)
    return (
        edges,
        sums_from(counts.negative, starts) * counts.unit,
        sums_from(counts.positive, starts) * counts.unit,
    )


def calibration(counts: ClassCounts) -> tuple[Array, Array, Array]:
    """Returns the mean score and the share of positives of bins of about equal weight.

    The rows of one score, or of one bin of the counts, stay together. They are in the bin that the
    middle of their weight falls into, so that a bin may have more than its share, and there may be
    fewer bins.

    Args:
        counts: Counts that weigh something.

    Returns:
        Mean score, share of positives and weight, `[m]` each, m at most `CALIBRATION_BINS`; empty
        if the counts are of bins too wide for the mean of a score.
    """
    weight = counts.negative + counts.positive
    if counts.edges is not None and np.diff(counts.edges)[weight > 0].max() > _WIDEST:
        return np.empty(0), np.empty(0), np.empty(0)
    from_top = weight[::-1].cumsum()
    shares = np.arange(1, CALIBRATION_BINS) * (from_top[-1] / CALIBRATION_BINS)
    at = first_at(from_top, shares)
    # Only the score at which a share is reached may have its middle on the other side.
    at += from_top[at] - weight[::-1][at] / 2 < shares
    starts = np.append(0, len(weight) - at[::-1])
    total = sums_from(weight, starts)
    score = sums_from(weight * counts.scores.astype(np.float64), starts)
    positive = sums_from(counts.positive, starts)
    some = total > 0
    total, score, positive = total[some], score[some], positive[some]
    return score / total, positive / total, total * counts.unit


def _ends(counts: ClassCounts) -> tuple[int, int]:
    """Returns the indices of the lowest and the highest score that weighs anything."""
    some = (counts.negative > 0) | (counts.positive > 0)
    return int(some.argmax()), len(some) - 1 - int(some[::-1].argmax())


def _middle(counts: ClassCounts) -> tuple[float, float]:
    """Returns scores between which all but a few rows of each class lie."""
    lows, highs = [], []
    for from_top in (counts.false_from_top, counts.true_from_top):
        if from_top[-1] > 0:
            shares = np.array([1 - _TAIL, _TAIL]) * from_top[-1]
            low, high = counts.scores[len(from_top) - 1 - first_at(from_top, shares)]
            lows.append(float(low))
            highs.append(float(high))
    return min(lows), max(highs)


def _rounded(numbers: Array) -> Array:
    return np.array([short(number, DIGITS) for number in numbers.tolist()])
