"""The newest values of one number of a run, one for each snapshot."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

NORMAL = 1.4826
"""Standard deviation of a normal distribution, by its median absolute deviation."""


class Point(NamedTuple):
    """A value over the steps [first_step, end_step)."""

    first_step: int
    end_step: int
    value: float


class Series:
    """The newest values of a number, in the order of their steps.

    Args:
        kept: Number of values that are kept.
    """

    def __init__(self, kept: int = 100) -> None:
        self._points: deque[Point] = deque(maxlen=kept)

    def add(self, point: Point) -> None:
        """Adds the value of the steps that follow; one without a value is left out."""
        if math.isfinite(point.value):
            self._points.append(point)

    def roll_back(self, step: int) -> None:
        """Forgets the values of later steps than `step`."""
        while self._points and self._points[-1].end_step > step:
            self._points.pop()

    def __len__(self) -> int:
        return len(self._points)

    def has(self, end_step: int) -> bool:
        """Returns whether the newest value is of steps that end with `end_step`."""
        return bool(self._points) and self._points[-1].end_step == end_step

    @property
    def values(self) -> list[float]:
        """The values, oldest first."""
        return [point.value for point in self._points]

    @property
    def points(self) -> list[Point]:
        """The values with their steps, oldest first."""
        return list(self._points)


@dataclass(frozen=True)
class Level:
    """Where the values of a series are, and how much they vary.

    Attributes:
        middle: Their median.
        scale: Their standard deviation if they are normal, by the median absolute deviation, which
            a few values that are far off do not change.
    """

    middle: float
    scale: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Level:
        """Returns the level of values; there is at least one."""
        middle = float(np.median(values))
        deviation = float(np.median(np.abs(np.subtract(values, middle))))
        return cls(middle, NORMAL * deviation)


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Returns the mean of independent values, and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values))
