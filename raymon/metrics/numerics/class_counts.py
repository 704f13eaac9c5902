"""The weight of both classes by score, of single scores or of bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class ClassCounts:
    """The weight of the negatives and of the positives by score, ascending.

    Scores may be millions, so that what is made of them takes few passes over all.

    Attributes:
        scores: The scores, or the middles of the bins, `[S]`.
        negative: Count of the negatives, int64 or float64 `[S]`.
        positive: Count of the positives, likewise.
        unit: Weight of a count of 1.
        edges: Edges of the bins, float64 `[S + 1]`; None if there are no bins, but single scores.
        by_thresholds: Whether the bins are between thresholds, the last one of which is 1.
    """

    scores: NDArray[Any]
    negative: NDArray[Any]
    positive: NDArray[Any]
    unit: float = 1.0
    edges: Array | None = None
    by_thresholds: bool = False

    @classmethod
    def of_bins(
        cls, edges: Array, counts: NDArray[Any], unit: float, *, by_thresholds: bool = False
    ) -> ClassCounts:
        """Returns the counts of bins.

        Args:
            edges: Edges of the bins, ascending `[S + 1]`.
            counts: Counts of both classes, `[2, S]`.
            unit: Weight of a count of 1.
            by_thresholds: Whether the bins are between thresholds.
        """
        middles = (edges[:-1] + edges[1:]) / 2
        return cls(middles, counts[0], counts[1], unit, edges, by_thresholds)

    @cached_property
    def false_from_top(self) -> NDArray[Any]:
        """Count of the negatives from the highest score down to each, `[S]`."""
        # Not total minus those below, which would lose small weights against large ones.
        return self.negative[::-1].cumsum()

    @cached_property
    def true_from_top(self) -> NDArray[Any]:
        """Count of the positives from the highest score down to each, `[S]`."""
        return self.positive[::-1].cumsum()

    @property
    def negatives(self) -> float:
        """Count of all negatives."""
        return float(self.false_from_top[-1]) if len(self.scores) else 0.0

    @property
    def positives(self) -> float:
        """Count of all positives."""
        return float(self.true_from_top[-1]) if len(self.scores) else 0.0


def first_at(ascending: NDArray[Any], least: Array) -> Index:
    """Returns the indices of the first values that are at least so large.

    Args:
        ascending: Values, `[N]`.
        least: What they are at least, `[M]`.

    Returns:
        The indices, `[M]`; N where there is none.
    """
    # numpy would convert all values to the type of what is looked for, which is rounded up instead.
    kind = ascending.dtype
    if kind.kind == "i":
        least = np.ceil(least)
    rounded = least.astype(kind)
    if kind == np.float32:
        below = rounded < least
        rounded[below] = np.nextafter(rounded[below], kind.type(np.inf))
    return np.searchsorted(ascending, rounded)


def sums_from(values: NDArray[Any], starts: Index) -> Array:
    """Returns the sum of the values from each start up to the next, or to the end.

    Args:
        values: Values, `[N]`.
        starts: Indices, ascending, in [0, N]; those that are equal begin sums of nothing `[M]`.
    """
    sums = np.zeros(len(starts))
    some = starts < np.append(starts[1:], len(values))
    if some.any():
        sums[some] = np.add.reduceat(values, starts[some])
    return sums
