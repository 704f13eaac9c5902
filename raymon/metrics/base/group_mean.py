"""The mean over groups as a sum of integers, the same on any number of ranks.

A sum of reals depends on their order. The figure of a group is rounded to a multiple of
2^-FIGURE_BITS, which is exact to the last bits of a float64, and its integer is summed in two
halves, so that the sums can hold 2^37 groups, or rows if a group counts by its rows.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from raymon.metrics.base.checked_metric import LABELS
from raymon.results import GroupFigures

HALF_BITS = 26
FIGURE_BITS = 2 * HALF_BITS

HIGH, LOW, WEIGHT, GROUPS, SKIPPED = range(5)
"""Positions in the sums.

These are both halves of the figures times weights, the weights, the number of groups that have a
figure, and the number of groups that have none.
"""
INVALID = slice(5, 9)
"""Positions in the sums of the counts of invalid input, as in the state `invalid`."""

_BINS = 50
_EDGES = np.arange(_BINS + 1) / _BINS
BINS = slice(INVALID.stop, INVALID.stop + _BINS)
"""Positions in the sums of the numbers of groups by bins of figures, equally wide, of [0, 1]."""

_THOUSAND = 1000
THOUSANDTHS = slice(BINS.stop, BINS.stop + _THOUSAND + 1)
"""Positions in the sums of the numbers of groups by the thousandth that is nearest."""

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def group_sums(
    figures: NDArray[np.float64],
    skipped: int,
    weights: NDArray[np.int64] | None = None,
    *,
    bad_labels: int,
) -> Tensor:
    """Returns the sums over groups from which their mean is computed; those of ranks add up.

    Args:
        figures: Figures in [0, 1] of the groups that have one, `[G]`.
        skipped: Number of groups that have none.
        weights: Weight of each group, `[G]`; None if all count the same.
        bad_labels: Number of wrong labels.

    Returns:
        The sums, int64 `[1060]`, on the CPU.
    """
    whole = np.rint(figures * 2.0**FIGURE_BITS).astype(np.int64)
    high, low = whole >> HALF_BITS, whole & ((1 << HALF_BITS) - 1)
    weight = len(figures)
    if weights is not None:
        high, low, weight = high * weights, low * weights, int(weights.sum())
    sums = torch.zeros(THOUSANDTHS.stop, dtype=torch.int64)
    sums[: INVALID.start] = torch.tensor([high.sum(), low.sum(), weight, len(figures), skipped])
    sums[INVALID][LABELS] = bad_labels
    figures = np.nan_to_num(figures).clip(0, 1)
    bins = (np.searchsorted(_EDGES, figures, side="right") - 1).clip(max=_BINS - 1)
    sums[BINS] = torch.from_numpy(np.bincount(bins, minlength=_BINS))
    nearest = np.rint(figures * _THOUSAND).astype(np.int64)
    sums[THOUSANDTHS] = torch.from_numpy(np.bincount(nearest, minlength=_THOUSAND + 1))
    return sums


def group_figures(sums: Tensor) -> GroupFigures | None:
    """Returns how the figures are distributed over the groups; None if no group has one.

    Args:
        sums: Sums as from `group_sums`, int64 `[1060]`.
    """
    up_to = sums[THOUSANDTHS].cpu().numpy().cumsum()
    groups = int(up_to[-1])
    if not groups:
        return None
    # The figure of the first group that has this share of all at or below it.
    ranks = [max(1, -int(-share * groups // 1)) for share in _QUANTILES]
    at = np.searchsorted(up_to, ranks)
    return GroupFigures(
        _EDGES.tolist(),
        sums[BINS].tolist(),
        {str(q): int(i) / _THOUSAND for q, i in zip(_QUANTILES, at, strict=True)},
    )


def mean_over_groups(sums: Tensor) -> float:
    """Returns the mean of the figures; NaN if no group has one.

    Args:
        sums: Sums as from `group_sums`, int64 `[1060]`.
    """
    high, low, weight = sums[:GROUPS].tolist()
    # Python's integers do not overflow, and their quotient is rounded once.
    return ((high << HALF_BITS) + low) / (weight << FIGURE_BITS) if weight else float("nan")
