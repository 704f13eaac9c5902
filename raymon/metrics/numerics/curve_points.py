"""The points of a ROC curve and a precision-recall curve that matter to their shape."""

from __future__ import annotations

import heapq

import numpy as np

from raymon.metrics.numerics.class_counts import Array, ClassCounts, Index, first_at

POINTS = 150
"""Points of a curve, at most."""

_STEPS = 1024
_GROWTH = 1.02
_NEGLIGIBLE = 1e-6
"""Distance from a curve that no plot shows."""


def roc_points(counts: ClassCounts, at: Index) -> tuple[Array, Array]:
    """Returns the ROC curve; with all scores, its area by trapezoids is that of `area`.

    Args:
        counts: Counts of both classes by score.
        at: Which scores it has points of, counted from the top, ascending.

    Returns:
        False and true positive rate, ascending, from (0, 0), or if counts are by thresholds from
        the last threshold on, as `area` has it; empty if a class is missing.
    """
    if not counts.negatives or not counts.positives:
        return np.empty(0), np.empty(0)
    false, true = counts.false_from_top[at], counts.true_from_top[at]
    if not counts.by_thresholds:
        false, true = np.append(0.0, false), np.append(0.0, true)
    return false / counts.negatives, true / counts.positives


def pr_points(counts: ClassCounts, at: Index) -> tuple[Array, Array]:
    """Returns the precision-recall curve, from the highest score on.

    Unlike scikit-learn's it has no point at the precision 1, which no rows have.

    Args:
        counts: Counts of both classes by score.
        at: Which scores it has points of, counted from the top, ascending.

    Returns:
        Recall, ascending, and precision; empty without a positive.
    """
    if not counts.positives:
        return np.empty(0), np.empty(0)
    true = counts.true_from_top[at]
    rows = counts.false_from_top[at] + true
    some = rows > 0
    return true[some] / counts.positives, true[some] / rows[some]


def candidates(counts: ClassCounts) -> Index:
    """Returns some thousand scores between which the curves go straight on, as far as one sees.

    Returns:
        Indices from the top, ascending: all if they are few, else those at equal steps of both
        rates, with the scores before them, and others whose distance grows, since the precision
        changes fast at the top.
    """
    length = len(counts.scores)
    if length <= 4 * _STEPS:
        return np.arange(length)
    growing = _GROWTH ** np.arange(np.log(length) / np.log(_GROWTH))
    found = [growing.astype(np.int64), np.array([0, length - 1])]
    for from_top in (counts.false_from_top, counts.true_from_top):
        steps = first_at(from_top, np.linspace(0, from_top[-1], _STEPS))
        found += [steps, steps - 1]
    return np.unique(np.concatenate(found).clip(0, length - 1))


def main_points(x: Array, y: Array, most: int = POINTS) -> Index:
    """Returns the indices of the points that are joined by lines instead of all.

    One after the other, the point is taken that is farthest from the lines so far (Douglas &
    Peucker 1973), so that corners come first.

    Args:
        x: `[N]`.
        y: `[N]`.
        most: Number of points, at most.
    """
    if len(x) <= 2:
        return np.arange(len(x))
    taken = [0, len(x) - 1]
    waiting: list[tuple[float, int, int, int]] = []

    def split(first: int, last: int) -> None:
        if last - first < 2:
            return
        dx, dy = x[first + 1 : last] - x[first], y[first + 1 : last] - y[first]
        to_x, to_y = x[last] - x[first], y[last] - y[first]
        size = float(np.hypot(to_x, to_y))
        away = np.abs(to_x * dy - to_y * dx) / size if size else np.hypot(dx, dy)
        at = int(away.argmax())
        if away[at] > _NEGLIGIBLE:
            heapq.heappush(waiting, (-float(away[at]), first, first + 1 + at, last))

    split(*taken)
    while waiting and len(taken) < most:
        _, first, at, last = heapq.heappop(waiting)
        taken.append(at)
        split(first, at)
        split(at, last)
    return np.sort(np.array(taken))


def main_part(x: Array, y: Array) -> tuple[Array, Array]:
    """Returns the points of a curve that matter to its shape, at most `POINTS`."""
    kept = main_points(x, y)
    return x[kept], y[kept]
