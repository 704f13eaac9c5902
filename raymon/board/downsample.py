"""Fewer points of a curve, drawn as all of them would be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_POINTS_A_CELL = 4

Indices = NDArray[np.int64]


def downsample(x: NDArray[np.float64], y: NDArray[np.float64], points: int) -> Indices:
    """Returns the indices of the points that are drawn, in ascending order.

    The axis is divided into `points / 4` cells of equal width. Of each are kept the first, the
    last, the lowest and the highest point (M4: Jugel et al., "M4: A Visualization-Oriented Time
    Series Data Aggregation", VLDB 2014), so that a line of as many pixels is the same. Of gaps the
    first and the last point of a cell are kept, and the points beside them.

    Args:
        x: Places on the axis `[N]`, in ascending order and finite.
        y: Values `[N]`; NaN is a gap.
        points: Number of points that are enough: a curve of no more is kept as it is.
    """
    count = len(x)
    if count <= max(points, _POINTS_A_CELL):
        return np.arange(count)
    cells = _cells(x, max(1, points // _POINTS_A_CELL))
    begins = np.flatnonzero(np.diff(cells, prepend=-1))
    group = np.cumsum(np.diff(cells, prepend=cells[0]) != 0)
    gaps = np.isnan(y)
    finite = np.flatnonzero(~gaps)
    kept = [
        *_ends(finite, group[finite]),
        _first_equal(np.where(gaps, np.inf, y), np.minimum, begins, group),
        _first_equal(np.where(gaps, -np.inf, y), np.maximum, begins, group),
    ]
    for end in _ends(np.flatnonzero(gaps), group[gaps]):
        kept += [end, np.maximum(end - 1, 0), np.minimum(end + 1, count - 1)]
    return np.asarray(np.unique(np.concatenate(kept)))


def without_usual_gaps(y: NDArray[np.float64]) -> Indices:
    """Returns the indices of the points without those that lack a value because it is not due.

    What is measured in every tenth window has no gap of nine windows. A gap is longer than half as
    much again as the usual distance of two values, which is 1 where most points have one.

    Args:
        y: Values `[N]`; NaN where there is none.
    """
    finite = np.flatnonzero(~np.isnan(y))
    if len(finite) < 2:
        return finite
    distances = np.diff(finite)
    usual = np.median(distances)
    if usual <= 1:
        return np.arange(len(y))
    is_kept = ~np.isnan(y)
    for place in np.flatnonzero(distances > 1.5 * usual).tolist():
        is_kept[finite[place] + 1] = True
    return np.flatnonzero(is_kept)


def _cells(x: NDArray[np.float64], count: int) -> Indices:
    first, width = x[0], (x[-1] - x[0]) / count
    if width <= 0:
        return np.zeros(len(x), np.int64)
    return np.asarray(np.minimum(((x - first) / width).astype(np.int64), count - 1))


def _ends(indices: Indices, group: Indices) -> tuple[Indices, Indices]:
    """Returns of each group of indices the first and the last one."""
    if not len(indices):
        return indices, indices
    is_new = np.diff(group, prepend=-1) != 0
    is_last = np.roll(is_new, -1)
    return indices[is_new], indices[is_last]


def _first_equal(
    filled: NDArray[np.float64], extreme: np.ufunc, begins: Indices, group: Indices
) -> Indices:
    """Returns of each group the first point with its extreme value, of groups that have one."""
    values = np.asarray(extreme.reduceat(filled, begins))
    places = np.flatnonzero((filled == values[group]) & np.isfinite(filled))
    return _ends(places, group[places])[0]
