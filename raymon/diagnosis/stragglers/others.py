"""What is usual among the other ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def median_of_others(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns for each rank the median of the values of all others, `[R, ...]`.

    Args:
        values: Values of at least two ranks, `[R, ...]`.
    """
    count = len(values)
    order = np.argsort(values, axis=0, kind="stable")
    ascending = np.take_along_axis(values, order, axis=0)
    place = np.argsort(order, axis=0, kind="stable")

    def other(index: int) -> NDArray[np.float64]:
        return np.asarray(np.where(index < place, ascending[index], ascending[index + 1]))

    lower, upper = (count - 2) // 2, (count - 1) // 2
    return np.asarray((other(lower) + other(upper)) / 2)
