"""Draws of indices by weight, without some of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]

_ROUNDS = 8
"""Rounds in which what must not be drawn is drawn again, before the weights are changed."""


class WeightedDraw:
    """Draws with replacement; an index comes in proportion to its weight.

    A draw is a search in the cumulative weights. Indices that must not come are drawn again, so
    that a draw takes time for what is drawn and not for all weights; only where most of the weight
    must not come the rest is made a distribution of its own.

    Args:
        weights: Weights, float64 `[N]`, of which one is above 0.
    """

    def __init__(self, weights: npt.NDArray[np.float64]) -> None:
        self._weights = weights
        self._ends = np.cumsum(weights)
        # Which indices must not come, during a draw.
        self._excluded = np.zeros(len(weights), np.bool_)

    def draw(self, generator: np.random.Generator, count: int, excluded: Indices) -> Indices:
        """Returns indices, int64 `[count]`; fewer if all of the weight must not come: none.

        Args:
            generator: Source of the random numbers.
            count: How many are drawn.
            excluded: Indices that must not come, int64 `[E]`.
        """
        self._excluded[excluded] = True
        try:
            drawn = _search(self._ends, generator, count)
            for _ in range(_ROUNDS):
                again = np.flatnonzero(self._excluded[drawn])
                if not len(again):
                    return drawn
                drawn[again] = _search(self._ends, generator, len(again))
            return self._exactly(generator, drawn)
        finally:
            self._excluded[excluded] = False

    def _exactly(self, generator: np.random.Generator, drawn: Indices) -> Indices:
        again = np.flatnonzero(self._excluded[drawn])
        if not len(again):
            return drawn
        ends = np.cumsum(np.where(self._excluded, 0, self._weights))
        if not ends[-1] > 0:
            return drawn[:0]
        drawn[again] = _search(ends, generator, len(again))
        return drawn


def _search(ends: npt.NDArray[np.float64], generator: np.random.Generator, count: int) -> Indices:
    # Below the total, so that the index is one of a weight above 0; in order, so that what one
    # search reads is in a cache for the next.
    places = np.minimum(generator.random(count) * ends[-1], np.nextafter(ends[-1], 0))
    places.sort()
    found: Indices = np.searchsorted(ends, places, side="right").astype(np.int64)
    return found
