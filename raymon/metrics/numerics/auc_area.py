"""The area under the ROC curve of a histogram of scores, and how wrong it can be."""

from __future__ import annotations

from torch import Tensor

from raymon.metrics.numerics.ordered_sum import ordered_sum


def area(histogram: Tensor, *, by_thresholds: bool) -> Tensor:
    """Returns the area under the ROC curve.

    That is the share of pairs whose positive scores above its negative, in the Mann-Whitney form
    (Hanley & McNeil 1982); pairs within a bin count half.

    Args:
        histogram: Weight of the negatives and of the positives by bin, in the order of the scores,
            the last bin for NaN, int64 or float64 `[..., 2, bins]`.
        by_thresholds: Whether the curve has a point at each threshold and begins at the last one,
            as torchmetrics draws it: pairs within the top bin, of scores of exactly 1, then count
            nothing.

    Returns:
        The areas, float64 `[...]`; NaN where a class is missing, or the NaN bin is not empty.
    """
    negative, positive = histogram[..., 0, :-1], histogram[..., 1, :-1]
    up_to = positive.cumsum(-1)
    above = (up_to[..., -1:] - up_to).double()
    ties = positive.double() / 2
    if by_thresholds:
        ties[..., -1] = 0
    concordant = ordered_sum(negative.double() * (above + ties))
    return _share_of_pairs(histogram, concordant)


def area_error_bound(histogram: Tensor, *, by_thresholds: bool) -> Tensor:
    """Returns how far `area` can be from the area of the scores themselves.

    It is half the probability that a positive and a negative share a bin; the whole of it for the
    top bin of a curve by thresholds, whose pairs count nothing.

    Args:
        histogram: Histogram, as for `area`.
        by_thresholds: Whether the curve has a point at each threshold, as for `area`.

    Returns:
        The bounds, float64 `[...]`; NaN where a class is missing, or the NaN bin is not empty.
    """
    doubt = histogram[..., 0, :-1].double() * histogram[..., 1, :-1].double() / 2
    if by_thresholds:
        doubt[..., -1] *= 2
    return _share_of_pairs(histogram, ordered_sum(doubt))


def has_pairs(histogram: Tensor) -> Tensor:
    """Returns whether both classes are there: bool `[...]` for a histogram `[..., 2, bins]`."""
    return (histogram[..., :-1].sum(-1) > 0).all(-1)


def _share_of_pairs(histogram: Tensor, weight: Tensor) -> Tensor:
    """Returns `weight` of pairs `[...]` over that of all pairs; NaN as for `area`."""
    # Not `prod`, whose kernel for CUDA torch compiles when it is first called.
    negative, positive = ordered_sum(histogram[..., :-1]).double().unbind(-1)
    share = weight / (negative * positive)
    undefined = ~has_pairs(histogram) | (histogram[..., -1] > 0).any(-1)
    # After rounding, a sum of products can be a little above the product of sums.
    return share.clamp(max=1).masked_fill(undefined, float("nan"))
