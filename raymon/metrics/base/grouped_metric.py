"""Metrics that are a mean over groups of rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import NAN_SCORES, check_rows
from raymon.metrics.base.group_mean import (
    GROUPS,
    INVALID,
    SKIPPED,
    group_figures,
    mean_over_groups,
)
from raymon.metrics.base.key_exchange import add_up, exchange
from raymon.metrics.base.row_metric import RowMetric, Rows, as_list, joined, of_its_own
from raymon.results import GroupFigures


class GroupedMetric(RowMetric):
    """Base of metrics that are the mean over groups of a figure of the rows of each.

    States: those of RowMetric, and `grouping_key`, int64; 16 bytes a row in all, with weights 24.

    Over ranks no rank gathers all rows: each gets the rows of its share of the keys, and the sums
    over their groups are added up. While torchmetrics has the metric synchronised, the states are
    the rows of that share. With a custom `dist_sync_fn` they are all rows.

    `groups` and `groups_skipped` are the numbers of groups that had a figure, and that had none,
    when the value was last computed.

    Args:
        kwargs: Arguments of every torchmetrics metric.
    """

    missing = ("there are no rows that weigh anything", "no group has a figure")
    grouping_key: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("grouping_key", [], dist_reduce_fx="cat")
        self.groups = 0
        self.groups_skipped = 0
        self._sums_of_ranks: Tensor | None = None
        self._figures: GroupFigures | None = None

    def update(
        self,
        preds: Tensor,
        target: Tensor,
        grouping_key: Tensor,
        weights: Tensor | None = None,
    ) -> None:
        """Adds rows.

        Args:
            preds: Scores, float `[B]`, any real; compared as float32 unless they are float64. A NaN
                makes the value NaN.
            target: Labels `[B]`.
            grouping_key: Group of each row, any int64, integers `[B]`.
            weights: Sample weights, float `[B]`; None if all weigh 1. One that is neither 0 nor in
                [1e-30, 1e30] makes the value NaN.

        Raises:
            UserError: The arguments are not `[B]`, or the keys are not integers.
        """
        metric = type(self).__name__
        check_rows(metric, preds=preds, target=target, grouping_key=grouping_key, weights=weights)
        kind = grouping_key.dtype
        if kind.is_floating_point or kind.is_complex or kind == torch.bool:
            raise UserError(f"{metric}: grouping_key is {kind}; it must be of integers, as int64")
        self.keep(preds, target, weights)
        self.grouping_key.append(of_its_own(grouping_key.detach().long()))

    @abstractmethod
    def _sums(
        self,
        key: NDArray[np.int64],
        preds: NDArray[Any],
        target: NDArray[Any],
        weights: NDArray[np.float64] | None,
    ) -> Tensor:
        """Returns what `group_sums` returns for the groups of these rows.

        Args:
            key: Group of each row, `[N]`.
            preds: Scores, float32 or float64 `[N]`; the caller counts those that are NaN.
            target: Labels, float32 or float64 `[N]`.
            weights: Valid weights, `[N]`; None if every row weighs 1.
        """

    def _compute(self) -> Tensor:
        synced = self._sums_of_ranks if self._is_synced else None
        sums = self._sums_of(self.rows(), self._key()) if synced is None else synced
        self.groups, self.groups_skipped = sums[[GROUPS, SKIPPED]].tolist()
        self.found = sums[INVALID]
        self._figures = group_figures(sums)
        return torch.tensor(mean_over_groups(sums), dtype=torch.float64, device=sums.device)

    def details(self) -> dict[str, float]:
        """Returns the numbers of groups with and without a figure."""
        return {"groups": self.groups, "groups_skipped": self.groups_skipped}

    def figures(self) -> GroupFigures | None:
        """Returns the figures of the groups of the value computed last; None if it is NaN.

        Waits for the device.
        """
        return None if self._is_nan is None or bool(self._is_nan) else self._figures

    def _missing(self) -> Tensor:
        return torch.tensor([self.groups + self.groups_skipped == 0, self.groups == 0])

    def _key(self) -> Tensor:
        # Without rows, a window holds an empty tensor of reals.
        return joined(as_list(self.grouping_key), self.device).long()

    def _sums_of(self, rows: Rows, key: Tensor) -> Tensor:
        """Returns the sums over the groups of these rows, with the counts of all invalid input."""
        preds, target = rows.preds.cpu().numpy(), rows.target.cpu().numpy()
        weights = None if rows.weights is None else rows.weights.cpu().numpy()
        sums = self._sums(key.cpu().numpy(), preds, target, weights).to(key.device)
        sums[INVALID] += self.invalid.to(sums.device)
        sums[INVALID][NAN_SCORES] += int(np.isnan(preds).sum())
        return sums

    def _sync_dist(
        self,
        dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors,
        process_group: Any = None,
    ) -> None:
        self._sums_of_ranks = None
        if dist_sync_fn is not gather_all_tensors:
            self.grouping_key = [self._key()]
            super()._sync_dist(dist_sync_fn, process_group)
            return
        group = process_group or self.process_group
        own_key = self._key()
        rows, key = exchange(self.rows(), own_key, group)
        self._sums_of_ranks = add_up(self._sums_of(rows, key), group).to(own_key.device)
        self.preds, self.target, self.grouping_key = [rows.preds], [rows.target], [key]
        self.weights = [] if rows.weights is None else [rows.weights]
