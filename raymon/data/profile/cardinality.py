"""How many different values a column has, estimated from a sample."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cardinality:
    """The number of different values of a column.

    Attributes:
        seen: Different values in the sample.
        once: Those of them that the sample has once.
        estimated: Estimate for all rows.
    """

    seen: int
    once: int
    estimated: int


def estimate(counts: NDArray[np.int64], total: int) -> Cardinality:
    """Returns the number of different values among `total`, from their counts in a sample.

    Values that the sample has once may stand for sqrt(total / sample) values each: the guaranteed
    error estimator of Charikar, Chaudhuri, Motwani and Narasayya (2000), "Towards Estimation Error
    Guarantees for Distinct Values", section 4; it is off by at most that root, which nothing that
    looks at a sample alone can better.

    Args:
        counts: Count of each value in the sample, 1 or more, `[D]`.
        total: Number of values in all rows.
    """
    seen, once, sampled = len(counts), int((counts == 1).sum()), int(counts.sum())
    if not sampled:
        return Cardinality(0, 0, 0)
    root = math.sqrt(max(total / sampled, 1.0))
    estimated = min(round(seen - once + root * once), max(total, seen))
    return Cardinality(seen, once, estimated)
