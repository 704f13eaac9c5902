"""Metrics that are a mean over groups of where their positives are in the order of the scores."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from raymon.metrics.base.group_mean import group_sums
from raymon.metrics.base.grouped_metric import GroupedMetric
from raymon.metrics.base.hit_rate import check_top_k
from raymon.metrics.numerics.group_ranks import Figure, group_figures_by_rank


class RankedGroups(GroupedMetric):
    """Base of metrics that are the mean over groups of a figure of the ranks of their positives.

    Every group counts the same, whatever its size; groups without a positive are left out, and
    `groups_skipped` says how many those were when the value was last computed. A label is positive
    above 0.5; labels other than 0 and 1 are counted. Of rows with equal scores each figure is the
    mean over all orders of them. A weight only says whether a row counts: one that weighs 0 does
    not.

    Args:
        top_k: Rows of a group that count; None for all.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: `top_k` is below 1.
    """

    higher_is_better = True
    missing = ("there are no rows that weigh anything", "no group has a positive")

    def __init__(self, top_k: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.top_k = None if top_k is None else check_top_k(type(self).__name__, top_k)

    @abstractmethod
    def _figure(self) -> Figure:
        """Returns the function of the runs of groups that makes the figure of each."""

    def _sums(
        self,
        key: NDArray[np.int64],
        preds: NDArray[Any],
        target: NDArray[Any],
        weights: NDArray[np.float64] | None,
    ) -> Tensor:
        bad_labels = int(((target != 0) & (target != 1)).sum())
        if weights is not None:
            counts = weights > 0
            key, preds, target = key[counts], preds[counts], target[counts]
        figures, skipped = group_figures_by_rank(
            key, preds, target > 0.5, self._figure(), self.top_k
        )
        return group_sums(figures, skipped, bad_labels=bad_labels)
