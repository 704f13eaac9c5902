"""XAUC within groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import LABELS
from raymon.metrics.base.group_mean import group_sums
from raymon.metrics.base.grouped_metric import GroupedMetric
from raymon.metrics.numerics.concordant_pairs import concordant_share
from raymon.metrics.numerics.group_weights import group_units
from raymon.metrics.numerics.row_codes import group_codes, run_ends
from raymon.metrics.numerics.sampled_pairs import mixed, sampled_share
from raymon.metrics.numerics.stable_order import stable_order


class GroupedXAUC(GroupedMetric):
    """Mean over groups of the share of concordant pairs in each, weighted by group size.

    A pair with equal labels or equal scores is not concordant, but is a pair of its group. With
    weights, a pair weighs the product of the weights of its rows; a group still counts by the
    number of its rows, without those of weight 0. Groups without a pair, and those whose labels are
    all equal, are left out, and `groups_skipped` says how many those were when the value was last
    computed. After a label that is NaN or infinite the value is NaN.

    On one thread 200,000 rows in 20,000 groups took 0.06 s, and 10 million in a million 6 s and,
    apart from the rows, 110 bytes a row; with weights 17 s and 165 bytes.

    Args:
        max_pairs_per_group: Number of pairs that are drawn from a group, with replacement, or as
            many as it has; None to count every pair. The draw depends on the key and the rows of
            the group alone: not on their order, nor on how many ranks there are.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: `max_pairs_per_group` is below 1.
    """

    higher_is_better = True
    missing = ("there are no rows that weigh anything", "no group has rows of different labels")
    invalid_label = "labels that are not finite"

    def __init__(self, max_pairs_per_group: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if max_pairs_per_group is not None and max_pairs_per_group < 1:
            raise UserError(
                f"GroupedXAUC: max_pairs_per_group is {max_pairs_per_group}; it must be at least 1"
            )
        self.max_pairs_per_group = max_pairs_per_group

    def _compute(self) -> Tensor:
        value = super()._compute()
        return value.masked_fill(self.found[LABELS] > 0, float("nan"))

    def _sums(
        self,
        key: NDArray[np.int64],
        preds: NDArray[Any],
        target: NDArray[Any],
        weights: NDArray[np.float64] | None,
    ) -> Tensor:
        bad_labels = int(np.count_nonzero(~np.isfinite(target)))
        if weights is not None:
            there = weights > 0
            key, preds, target, weights = key[there], preds[there], target[there], weights[there]
        if len(key) == 0:
            return group_sums(np.empty(0), 0, bad_labels=bad_labels)
        group = torch.from_numpy(group_codes(key).astype(np.int32))
        order = stable_order(group).numpy()
        last = run_ends(group.numpy()[order])
        sizes = np.diff(last, prepend=-1)
        units = group_units(key, weights)
        of_pairs = None if units is None else torch.from_numpy(units)
        first_key = torch.from_numpy(key[order[last]])
        columns = torch.from_numpy(preds), torch.from_numpy(target), of_pairs
        shares = self._shares(columns, group, torch.from_numpy(sizes), first_key).numpy()
        first, ordered = last - sizes + 1, target[order]
        differ = np.minimum.reduceat(ordered, first) != np.maximum.reduceat(ordered, first)
        has_value = differ & ~np.isnan(shares)
        skipped = len(sizes) - int(np.count_nonzero(has_value))
        return group_sums(shares[has_value], skipped, sizes[has_value], bad_labels=bad_labels)

    def _shares(
        self,
        columns: tuple[Tensor, Tensor, Tensor | None],
        group: Tensor,
        sizes: Tensor,
        key: Tensor,
    ) -> Tensor:
        """Returns the share of each group: float64 `[G]`, NaN where it has no pair.

        Args:
            columns: Scores, labels and units of weight of all rows, `[N]` each.
            group: Group of each row, int32 `[N]`.
            sizes: Number of rows of each group, in the order of `group`, int64 `[G]`.
            key: Key of each group, int64 `[G]`.
        """
        if self.max_pairs_per_group is None:
            return concordant_share(*columns, group, sizes)
        draws = (sizes * (sizes - 1) // 2).clamp(max=self.max_pairs_per_group)
        return sampled_share(*columns, group, sizes, draws, mixed(key))
