"""Student's t distribution."""

from __future__ import annotations

import math


def upper_tail(t: float, degrees: int) -> float:
    """Returns the probability that a variable of Student's t distribution is above `t`.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.

    Args:
        t: Threshold, at least 0.
        degrees: Degrees of freedom, at least 1.
    """
    angle = math.atan2(t, math.sqrt(degrees))
    cosine, odd = math.cos(angle), degrees % 2 == 1
    total = term = (cosine if degrees > 1 else 0.0) if odd else 1.0
    for order in range(3 if odd else 2, degrees - 1, 2):
        term *= cosine * cosine * (order - 1) / order
        total += term
    within = math.sin(angle) * total
    if odd:
        within = 2 / math.pi * (angle + within)
    return max(0.0, (1 - within) / 2)
