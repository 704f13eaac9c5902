"""The area under the ROC curve within groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from raymon.metrics.base.group_mean import group_sums
from raymon.metrics.base.grouped_metric import GroupedMetric
from raymon.metrics.numerics.group_areas import group_areas
from raymon.metrics.numerics.group_weights import group_units
from raymon.metrics.numerics.row_codes import group_codes


class GroupedAUC(GroupedMetric):
    """Mean over groups of the exact area under the ROC curve within each.

    Every group counts the same, whatever its size; groups without both classes are left out, and
    `groups_skipped` says how many those were when the value was last computed. Pairs with equal
    scores count half; with weights, a pair weighs the product of the weights of its rows.

    A label is positive above 0.5; labels other than 0 and 1 are counted. On one thread ten million
    rows in a million groups took 2 s and, apart from the rows, 60 bytes a row: 0.8 GB in all; with
    weights 88 bytes, and 1.1 GB.

    Args:
        kwargs: Arguments of every torchmetrics metric.
    """

    higher_is_better = True
    missing = ("there are no rows that weigh anything", "no group has both classes")

    def _sums(
        self,
        key: NDArray[np.int64],
        preds: NDArray[Any],
        target: NDArray[Any],
        weights: NDArray[np.float64] | None,
    ) -> Tensor:
        positive = target > 0.5
        # Only ratios within a class matter to an area, however little the class weighs.
        units = None if weights is None else group_units(_classes(key, positive), weights)
        areas, skipped = group_areas(key, preds, positive, units)
        return group_sums(areas, skipped, bad_labels=int(((target != 0) & (target != 1)).sum()))


def _classes(key: NDArray[np.int64], positive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Returns a number for the class and the group of each row: `[N]`."""
    codes = group_codes(key)
    codes <<= 1
    codes |= positive
    return codes.view(np.int64)
