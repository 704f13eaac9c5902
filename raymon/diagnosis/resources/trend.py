"""The trend of numbers over time, by estimates that single values do not change."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trend:
    """How fast each of C numbers grows.

    Attributes:
        slope: Median of the slopes between all pairs of values, in units a second, `[C]` (Theil
            1950; Sen 1968).
        z: How significant it is that they grow or fall, as a deviate of the normal distribution,
            `[C]` (Mann 1945; Kendall 1955, without ties).
        levels: How many different levels the values have, of a twentieth of their range, `[C]`: few
            where a number moves in a few steps.
    """

    slope: Reals
    z: Reals
    levels: NDArray[np.int64]

    @classmethod
    def of(cls, times: Reals, values: Reals) -> Trend:
        """Returns the trend of values `[N, C]` at N ascending times, in seconds."""
        later, earlier = np.tril_indices(len(times), -1)
        change = values[later] - values[earlier]
        slope = np.median(change / (times[later] - times[earlier])[:, None], axis=0)
        n = len(times)
        deviation = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
        z = np.sign(change).sum(axis=0) / deviation
        extent = np.maximum(np.ptp(values, axis=0), 1e-9)
        rounded = np.round((values - values.min(axis=0)) / extent * 20)
        levels = (np.diff(np.sort(rounded, axis=0), axis=0) > 0).sum(axis=0) + 1
        return cls(slope, z, levels)


def lasting(times: Reals, values: Reals) -> Reals:
    """Returns the slope of each number that grows and goes on to do so, `[C]`; 0 of the others.

    The first third is left out, in which caches and buffers fill; the last third must not grow much
    slower than the middle one, as what fills up does, and end higher than all before.

    Args:
        times: N ascending times, in seconds; 12 at least.
        values: Values of C numbers, `[N, C]`.
    """
    third = len(times) // 3
    whole = Trend.of(times[third:], values[third:])
    middle = Trend.of(times[third : 2 * third], values[third : 2 * third])
    last = Trend.of(times[2 * third :], values[2 * third :])
    goes_on = (middle.slope > 0) & (last.slope > 0.6 * middle.slope)
    # What is taken and given back again and again reaches no new height.
    highest = values[: 2 * third].max(axis=0)
    rises = values[-1] - highest > 0.5 * whole.slope * (times[-1] - times[2 * third])
    is_trend = (whole.z > _LEAST_Z) & (whole.levels >= _LEAST_LEVELS)
    return np.where(is_trend & goes_on & rises, np.minimum(whole.slope, last.slope), 0.0)


_LEAST_Z = 4.0
_LEAST_LEVELS = 6
