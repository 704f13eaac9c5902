"""The confidence interval of an area under the ROC curve."""

from __future__ import annotations

import math

from torch import Tensor

from raymon.metrics.numerics.ordered_sum import ordered_sum

CONFIDENCE = 0.95
_QUANTILE = 1.959963984540054
"""The quantile of the normal distribution at (1 + CONFIDENCE) / 2."""


def area_interval(counts: Tensor, value: float) -> tuple[float, float] | None:
    """Returns the 95 % confidence interval of the area under the ROC curve.

    It is the area +- 1.96 standard deviations, by the variance of DeLong, DeLong and
    Clarke-Pearson (1988, "Comparing the Areas under Two or More Correlated Receiver Operating
    Characteristic Curves"): that of the share of the negatives below each positive, over the number
    of positives, and of the share of the positives above each negative, over that of negatives. It
    takes rows as drawn independently of each other; rows of one user are not, so that the interval
    is wider in truth.

    Args:
        counts: Rows of the negatives and of the positives by score, in the order of the scores, the
            last column for NaN, float64 `[2, scores + 1]`, on the CPU.
        value: The area.

    Returns:
        Both ends, in [0, 1]; None if a class has fewer than two rows, or no pair is out of order,
        so that the rows say nothing of the variance.
    """
    negative, positive = counts[:, :-1].unbind(0)
    negatives, positives = (float(ordered_sum(each)) for each in (negative, positive))
    if negatives < 2 or positives < 2:
        return None
    below = (negative.cumsum(-1) - negative / 2) / negatives
    above = (positives - positive.cumsum(-1) + positive / 2) / positives
    variance = 0.0
    for weight, share, rows in ((positive, below, positives), (negative, above, negatives)):
        mean = ordered_sum(weight * share) / rows
        variance += float(ordered_sum(weight * (share - mean) ** 2)) / (rows - 1) / rows
    if not variance > 0:
        return None
    half = _QUANTILE * math.sqrt(variance)
    return max(value - half, 0.0), min(value + half, 1.0)
