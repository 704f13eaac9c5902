"""Metrics that store rows while these are few, and count them in bins once they are many."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Self

import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import WEIGHTS, CheckedMetric
from raymon.metrics.base.hide_states import hide_states
from raymon.metrics.base.row_metric import ROWS, RowMetric, Rows, as_list, as_real, ones
from raymon.metrics.base.weight_tables import (
    add_table,
    add_to_table,
    is_zero_placeholder,
    replaceable,
    table_of,
    unstorable_weights,
)
from raymon.metrics.numerics.auc_bins import ACCURATE_BINS, accurate_bins, threshold_bins
from raymon.metrics.numerics.fixed_point import valid_weights

EXACT_SCORES = 1 << 23
"""Scores, on all ranks together, up to which a value is exact."""

_TABLE = ("histogram", "histogram_slices")


class RowsOrBins(RowMetric):
    """Base of metrics of probabilities that are computed from the counts of two classes by score.

    Without thresholds it stores its rows, as RowMetric, and its value is exact, until there are
    more than `exact_rows` of them on all ranks together; then all are counted in bins. The state of
    these does not grow with the rows: `histogram`, int64 `[..., 2, bins]`, the weight of the
    negatives and of the positives by bin, a table of `weight_tables` that takes no memory before;
    the last bin holds NaN. The value is the same on any number of ranks.

    A subclass calls `add` in `update`, and `rows_if_few` in `_compute`.

    Args:
        curves: Dimensions of the table before the last two.
        thresholds: Number of thresholds, equally spaced from 0 to 1, between which the bins are;
            None for every score, or the fine bins of `accurate_bins`.
        exact_rows: Rows that are stored; 0 for bins from the first row on.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: There are fewer than 2 thresholds, or `exact_rows` is below 0.
    """

    higher_is_better = True
    histogram: Tensor
    histogram_slices: Tensor

    def __init__(
        self, curves: tuple[int, ...], thresholds: int | None, exact_rows: int, **kwargs: Any
    ) -> None:
        metric = type(self).__name__
        if thresholds is not None and thresholds < 2:
            raise UserError(f"{metric}: thresholds is {thresholds}; it must be at least 2")
        if exact_rows < 0:
            raise UserError(f"{metric}: exact_rows is {exact_rows}; it must be 0 or more")
        self.exact_rows = exact_rows if thresholds is None else 0
        if self.exact_rows:
            super().__init__(**kwargs)
        else:
            CheckedMetric.__init__(self, **kwargs)
        self.thresholds = thresholds
        edges = None
        if thresholds is not None:
            edges = torch.linspace(0, 1, thresholds, dtype=torch.float32)
        self.register_buffer("_edges", edges, persistent=False)
        bins = ACCURATE_BINS if thresholds is None else thresholds + 1
        add_table(self, "histogram", (*curves, 2, bins), filled=not self.exact_rows)
        # A state that stays empty: in a MetricCollection metrics share states of the same names,
        # and one that stores fewer rows would count those of another.
        self._limit = f"up_to_{self.exact_rows}_rows"
        if self.exact_rows:
            self.add_state(self._limit, [], dist_reduce_fx="cat")
        # An upper bound, which is checked after each update in constant time.
        self._kept = 0

    def reset(self) -> None:
        """Resets all states, as `torchmetrics.Metric.reset` does."""
        super().reset()
        self._kept = 0

    def add(self, preds: Tensor, label: Tensor, weights: Tensor | None) -> None:
        """Adds rows that were checked.

        Args:
            preds: Probabilities, float `[B]`, or `[B, C]`.
            label: Labels as `_positive` takes them, integers `[B]`.
            weights: Sample weights, float `[B]`, or None.
        """
        if not self.exact_rows:
            self._count(preds, label, weights)
            return
        # Copies: the caller may write to its tensors.
        self.preds.append(as_real(preds).clamp(0, 1))
        self.target.append(label.float())
        self.weights.append(ones(preds) if weights is None else valid_weights(weights))
        self._kept += len(preds)
        if self._kept > self.exact_rows:
            self._bin_rows()

    def rows_if_few(self) -> Rows | None:
        """Returns all rows if they are few enough for an exact value; None if they are binned.

        Waits for the device if rows are stored.
        """
        if not self.exact_rows:
            return None
        rows = self.rows()
        if len(rows.preds) <= self.exact_rows and not self._is_binned():
            return rows
        self._bin_rows()
        return None

    def binned(self) -> Self:
        """Returns a new metric that counts in bins from the first row on, for a training."""
        if not self.exact_rows:
            return self
        metric = deepcopy(self)
        metric.reset()
        metric.exact_rows = 0
        for name in (*ROWS, self._limit):
            delattr(metric, name)
            for of_states in (metric._defaults, metric._persistent, metric._reductions):
                del of_states[name]
        metric.histogram = metric.histogram.clone()
        metric._defaults["histogram"] = metric.histogram.clone()
        return metric

    @abstractmethod
    def _positive(self, label: Tensor) -> Tensor:
        """Returns 1 for a positive, bool or int32 of the shape of the scores.

        Args:
            label: Labels `[B]`, integers, or float32 as they are stored.
        """

    def _found(self) -> Tensor:
        return self.invalid

    def _is_binned(self) -> bool:
        """Whether the table holds anything. Waits for the device, if the table takes memory."""
        return not is_zero_placeholder(self.histogram) and bool(table_of(self, "histogram").any())

    def _count(self, preds: Tensor, label: Tensor, weights: Tensor | None) -> None:
        """Adds the weight of scores to the bins that they fall into."""
        preds, bins = preds.detach(), self.histogram.shape[-1]
        index = (
            accurate_bins(preds)
            if self.thresholds is None
            else threshold_bins(preds, self.get_buffer("_edges"))
        )
        index = torch.add(index, self._positive(label), alpha=bins)
        if preds.dim() == 2:
            of_classes = torch.arange(0, self.histogram.numel(), 2 * bins, device=index.device)
            index = index + of_classes
        add_to_table(self, "histogram", index, weights, preds)

    def _bin_rows(self) -> None:
        """Counts the rows that are stored, and forgets them."""
        rows = self.rows()
        # Not in place: others may hold the tables as they were before ranks were joined.
        self.histogram = self.histogram.clone()
        self.histogram_slices = replaceable(self.histogram_slices)
        self._count(rows.preds, rows.target, rows.weights)
        if rows.weights is not None:
            counts = torch.zeros_like(self.invalid)
            counts[WEIGHTS] = unstorable_weights(rows.weights)
            self.invalid = self.invalid + counts
        self.preds, self.target, self.weights = [], [], []
        self._kept = 0

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        super()._reduce_states(incoming_state)
        if self.exact_rows:
            self._kept = sum(map(len, as_list(self.preds)))
            if self._kept > self.exact_rows:
                self._bin_rows()

    def _sync_dist(
        self,
        dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors,
        process_group: Any = None,
    ) -> None:
        kept, rows, weighted = self._kept, 0, not is_zero_placeholder(self.histogram_slices)
        if self.exact_rows:
            rows = sum(map(len, as_list(self.preds)))
            weighted = weighted or self.is_weighted()
        known = torch.tensor(
            [rows, self.exact_rows > 0 and self._is_binned(), weighted],
            dtype=torch.int64,
            device=self.device,
        )
        of_ranks = dist_sync_fn(known, group=process_group or self.process_group)
        rows, binned, weighted = torch.stack(of_ranks).sum(0).tolist()
        if self.exact_rows and rows <= self.exact_rows and not binned:
            with hide_states(self, (*_TABLE, self._limit)):
                super()._sync_dist(dist_sync_fn, process_group)
            return
        if self.exact_rows:
            self._bin_rows()
        others = (*ROWS, self._limit, *([] if weighted else ["histogram_slices"]))
        with hide_states(self, others):
            CheckedMetric._sync_dist(self, dist_sync_fn, process_group)
        # Afterwards the rows of this rank are its own again.
        self._kept = kept
