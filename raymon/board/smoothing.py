"""Smoothed curves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_MOST_DECAY = 200.0
"""Largest exponent, in powers of e, by which values of a block are scaled."""


_LEAST_WEIGHT = 1e-9
"""A weight below it changes no digit that is looked at."""


def smoothed(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Returns the exponential mean of values so far, debiased (Kingma and Ba, "Adam", 2015).

    It is m_n / (1 - weight^n) with m_n = weight * m_(n-1) + (1 - weight) * v_n and m_0 = 0. Values
    that are missing stay so, and count for nothing.

    Args:
        values: Values `[N]`; NaN where there is none.
        weight: Weight of the mean before, in [0, 1).
    """
    found = np.array(values, np.float64)
    is_finite = np.isfinite(found)
    known = found[is_finite]
    if weight < _LEAST_WEIGHT or not len(known):
        return found
    decay = -math.log(weight)
    size = max(1, min(len(known), int(_MOST_DECAY / decay)))
    means, mean = np.empty_like(known), 0.0
    for begin in range(0, len(known), size):
        block = known[begin : begin + size]
        powers = np.exp(-decay * np.arange(1, len(block) + 1))
        # m_n = weight^n * (m_0 + (1 - weight) * the sum of v_i / weight^i)
        summed = np.cumsum(block / powers)
        means[begin : begin + size] = powers * (mean + (1 - weight) * summed)
        mean = float(means[begin + len(block) - 1])
    found[is_finite] = means / -np.expm1(-decay * np.arange(1, len(known) + 1))
    return found
