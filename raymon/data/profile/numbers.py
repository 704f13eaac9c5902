"""What the numbers of a column are like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QUANTILES = 20


@dataclass(frozen=True)
class NumberProfile:
    """Statistics of numbers, without those that are missing or not finite.

    Attributes:
        least: Least number.
        most: Largest number.
        mean: Mean.
        deviation: Standard deviation.
        skewness: Third standardized moment; 0 if all numbers are equal.
        quantiles: Numbers that 5 %, 10 %, ... 95 % are at or below.
        cuts: Rising numbers that divide the others into about equal parts; where one number is that
            of most rows, those of the other rows.
        are_integers: Whether all are integers.
        not_finite: Numbers that are infinite or NaN.
    """

    least: float
    most: float
    mean: float
    deviation: float
    skewness: float
    quantiles: tuple[float, ...]
    cuts: tuple[float, ...]
    are_integers: bool
    not_finite: int

    @property
    def median(self) -> float:
        """The number in the middle."""
        return self.quantiles[len(self.quantiles) // 2]


def profile_numbers(values: NDArray[np.float64]) -> NumberProfile | None:
    """Returns the statistics of numbers `[N]`; None if none is finite."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    mean, deviation = float(finite.mean()), float(finite.std())
    skewness = float((((finite - mean) / deviation) ** 3).mean()) if deviation > 0 else 0.0
    quantiles = _quantiles(finite)
    return NumberProfile(
        float(finite.min()),
        float(finite.max()),
        mean,
        deviation,
        skewness,
        tuple(quantiles.tolist()),
        _cuts(finite, quantiles),
        bool((finite == np.floor(finite)).all()),
        int(np.isinf(values).sum()),
    )


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.arange(1, _QUANTILES) / _QUANTILES
    return np.quantile(values, shares, method="inverted_cdf")


def _cuts(values: NDArray[np.float64], quantiles: NDArray[np.float64]) -> tuple[float, ...]:
    found, counts = np.unique(values, return_counts=True)
    cuts = quantiles
    if counts.max() * 2 > len(values) and len(found) > 1:
        others = values[values != found[counts.argmax()]]
        cuts = np.concatenate([[others.min()], _quantiles(others)])
    rising = np.unique(cuts)
    return tuple(rising[rising > found[0]].tolist())
