"""The past of some numbers, in few points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

_MOST = 48
_LONGEST_S = 6 * 3600.0


class History:
    """Values of numbers over time, at most 48 of them, evenly apart, of at most six hours."""

    def __init__(self) -> None:
        self._apart_s = 5.0
        self._times: list[float] = []
        self._steps: list[int] = []
        self._values: list[Reals] = []

    def add(self, time: float, step: int, values: Reals) -> bool:
        """Adds values `[C]`; returns false where it is too soon after the last ones."""
        if self._times and time - self._times[-1] < self._apart_s:
            return False
        self._times.append(time)
        self._steps.append(step)
        self._values.append(values)
        if len(self._times) > _MOST:
            if self._apart_s * _MOST < _LONGEST_S:
                self._apart_s *= 2
                kept = slice(len(self._times) % 2 ^ 1, None, 2)
            else:
                kept = slice(1, None)
            self._times, self._steps = self._times[kept], self._steps[kept]
            self._values = self._values[kept]
        return True

    def __len__(self) -> int:
        return len(self._times)

    @property
    def times(self) -> Reals:
        """The times, in seconds, `[N]`."""
        return np.array(self._times)

    @property
    def values(self) -> Reals:
        """The values, `[N, C]`."""
        return np.stack(self._values)

    @property
    def seconds_per_step(self) -> float | None:
        """Seconds that a step takes, with all that is between steps; None if it is not known."""
        steps = self._steps[-1] - self._steps[0]
        return (self._times[-1] - self._times[0]) / steps if steps > 0 else None
