"""The average precision of a histogram of scores, and how wrong it can be."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.metrics.numerics.ordered_sum import ordered_sum

_NOTHING = 1e-300
"""Divisor in place of a weight of 0."""


def average_precision(histogram: Tensor) -> Tensor:
    """Returns the area under the precision-recall curve: the mean over positives of the precision.

    It is the sum over bins, from the top, of (R_n - R_{n-1}) P_n, with the recall and precision of
    the rows from there up (scikit-learn's `average_precision_score`, with a bin taken for a
    score).

    Args:
        histogram: Weight of the negatives and of the positives by bin, in the order of the scores,
            the last bin for NaN, int64 or float64 `[2, bins]`.

    Returns:
        The average precision, float64 scalar; NaN without a positive, or if the NaN bin is not
        empty.
    """
    positive, true, false = _from_the_top(histogram)
    return _mean_over_positives(histogram, positive * true / (true + false).clamp(min=_NOTHING))


def average_precision_error_bound(histogram: Tensor) -> Tensor:
    """Returns how far `average_precision` can be from that of the scores themselves.

    A bin adds most if its positives tie above its negatives, and least if they are below them and
    so finely apart that the sum becomes the integral of the precision.

    Args:
        histogram: Histogram, as for `average_precision`.

    Returns:
        The bound, float64 scalar; NaN as for `average_precision`.
    """
    positive, true, false = _from_the_top(histogram)
    true_above, false_above = _next(true), _next(false)
    value = positive * true / (true + false).clamp(min=_NOTHING)
    best = positive * true / (true + false_above).clamp(min=_NOTHING)
    # The integral of (t + x) / (t + x + false) over x from 0 to `positive`.
    below = false * torch.log1p(positive / (true_above + false).clamp(min=_NOTHING))
    worst = positive - torch.where(false > 0, below, 0.0)
    over = _mean_over_positives(histogram, best - value)
    return torch.maximum(over, _mean_over_positives(histogram, value - worst))


def _from_the_top(histogram: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the positives of each bin, and the positives and negatives from there up.

    Returns:
        float64 `[bins - 1]` each.
    """
    counts = histogram[:, :-1]
    # Not total minus the bins below: that would lose small weights against large ones.
    negatives, positives = counts.flip(1).cumsum(1).flip(1).double()
    return counts[1].double(), positives, negatives


def _next(from_there_up: Tensor) -> Tensor:
    return torch.nn.functional.pad(from_there_up, (0, 1))[1:]


def _mean_over_positives(histogram: Tensor, total: Tensor) -> Tensor:
    """Returns the sum of `total` over the weight of the positives.

    It is NaN if the NaN bin is not empty.
    """
    mean = ordered_sum(total) / ordered_sum(histogram[1, :-1])
    return mean.masked_fill((histogram[:, -1] > 0).any(), float("nan"))
