"""The counts of both classes by score: what an area under a curve is computed from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Protocol, Self

import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from raymon.errors import UserError
from raymon.metrics.auc_bins import ACCURATE_BINS, accurate_bins, threshold_bins
from raymon.metrics.checked_metric import WEIGHTS, CheckedMetric, check_rows
from raymon.metrics.exact_counts import exact_counts
from raymon.metrics.fixed_point import valid_weights
from raymon.metrics.invalid import clean_classes, invalid_counts, not_binary
from raymon.metrics.kept_rows import KeptRows, as_list, as_real, ones
from raymon.metrics.sliced_weights import (
    add_table,
    add_to_table,
    no_place,
    replaceable,
    table_of,
)

EXACT_ROWS = 1 << 23
"""Rows up to which a value is exact."""


class HasHistogram(Protocol):
    """A metric with the table `histogram`."""

    histogram: Tensor


class ScoreHistogram(KeptRows):
    """Base of metrics of binary labels that are computed from the counts of each class by score.

    Without thresholds it keeps its rows, 8 bytes each and with weights 16, and its value is exact,
    until there are more than `exact_rows` of them on all ranks together; then all are counted in
    bins. The state of these does not grow with the samples: `histogram`, int64 `[2, bins]`, the
    weight of the negatives and of the positives by bin, a table of `sliced_weights`; the last bin
    holds NaN. What is computed is the same on any number of ranks.

    Args:
        thresholds: None for every score, or the fine bins of `accurate_bins`; a number for the bins
            between that many thresholds, equally spaced from 0 to 1.
        exact_rows: how many rows are kept; 0 for bins from the first.
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: fewer than 2 thresholds.
    """

    higher_is_better = True
    is_differentiable = False
    missing: tuple[str, ...] = (
        "there are no rows that weigh anything",
        "there is one class alone (labels are all 0)",
        "there is one class alone (labels are all 1)",
    )
    histogram: Tensor
    histogram_slices: Tensor

    def __init__(
        self, thresholds: int | None = None, exact_rows: int = EXACT_ROWS, **kwargs: Any
    ) -> None:
        self.exact_rows = exact_rows if thresholds is None else 0
        if self.exact_rows:
            super().__init__(**kwargs)
        else:
            CheckedMetric.__init__(self, **kwargs)
        self.thresholds = check_thresholds(type(self).__name__, thresholds)
        bins = ACCURATE_BINS if thresholds is None else thresholds + 1
        add_table(self, "histogram", (2, bins))
        self._is_exact = False
        # At most: it is looked at after each update, which must not take longer each time.
        self._kept = 0

    def reset(self) -> None:
        """Start anew, as `torchmetrics.Metric.reset`."""
        super().reset()
        self._kept = 0

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B]`, probabilities; those outside [0, 1] count as 0 or 1, and a NaN
                makes the value NaN.
            target: `[B]`, 0 or 1; another label counts as positive above 0.5.
            weights: float `[B]`, sample weights; None weighs every sample 1. One that is neither 0
                nor in [1e-30, 1e30], or in bins [1e-25, 1e13], makes the value NaN.

        Raises:
            UserError: the arguments are not `[B]`.
        """
        check_rows(type(self).__name__, preds=preds, target=target, weights=weights)
        positive = None if weights is not None else clean_classes(preds, target)
        if positive is None:
            target = target.float()
            sliced = not self.exact_rows
            self.invalid += invalid_counts(preds, not_binary(target), weights, sliced=sliced)
            # The sign of 1/2 - target, shifted into the lowest bit: comparing would take longer.
            positive = (0.5 - target).view(torch.int32).bitwise_right_shift_(31).neg_()
        if not self.exact_rows:
            count_scores(self, preds, positive, weights, self.thresholds)
            return
        # Copies: what was given may be written to.
        self.preds.append(as_real(preds).clamp(0, 1))
        self.target.append(positive.float())
        self.weights.append(ones(preds) if weights is None else valid_weights(weights))
        self._kept += len(preds)
        if self._kept > self.exact_rows:
            self._bin_rows()

    def binned(self) -> Self:
        """A new metric of the kind that counts in bins from the first, for a training."""
        if not self.exact_rows:
            return self
        metric = deepcopy(self)
        metric.reset()
        metric.exact_rows = 0
        for name in ("preds", "target", "weights"):
            delattr(metric, name)
            for of_states in (metric._defaults, metric._persistent, metric._reductions):
                del of_states[name]
        return metric

    def counts(self) -> Tensor:
        """The weight of each class by score, or by bin: int64 `[2, scores + 1]`, the last for NaN.

        Waits for the device where rows are kept.
        """
        self._is_exact = False
        if not self.exact_rows:
            return table_of(self, "histogram")
        rows = self.rows()
        if len(rows.preds) > self.exact_rows or bool(table_of(self, "histogram").any()):
            self._bin_rows()
            return table_of(self, "histogram")
        self._is_exact = True
        return exact_counts(rows.preds, rows.target, rows.units()).to(self.device)

    @abstractmethod
    def _value(self, counts: Tensor) -> Tensor:
        """The value of counts as `counts` gives them: float64 scalar."""

    @abstractmethod
    def _bound_of(self, counts: Tensor) -> Tensor:
        """How far the value can be off where scores share bins: float64 scalar."""

    def _compute(self) -> Tensor:
        counts = self.counts()
        value = self._value(counts)
        self._binned_bound = torch.zeros_like(value) if self._is_exact else self._bound_of(counts)
        self._class_weight = counts.sum(1)
        return value

    def _bound(self) -> Tensor | None:
        return self._binned_bound

    def _missing(self) -> Tensor:
        negative, positive = self._class_weight
        return torch.stack([negative + positive == 0, positive == 0, negative == 0])

    def _found(self) -> Tensor:
        return self.invalid

    def _bin_rows(self) -> None:
        """Count the rows that are kept, and keep them no longer."""
        rows = self.rows()
        # Not in place: others may have the tables, as they were before ranks were joined.
        self.histogram = self.histogram.clone()
        self.histogram_slices = replaceable(self.histogram_slices)
        count_scores(self, rows.preds, rows.target.to(torch.int32), rows.weights, None)
        if rows.weights is not None:
            counts = torch.zeros_like(self.invalid)
            counts[WEIGHTS] = no_place(rows.weights)
            self.invalid = self.invalid + counts
        self.preds, self.target, self.weights = [], [], []
        self._kept = 0

    def _sync_dist(
        self,
        dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors,
        process_group: Any = None,
    ) -> None:
        if self.exact_rows:
            rows = sum(map(len, as_list(self.preds)))
            known = torch.stack(
                [
                    torch.full_like(self.histogram[0, 0], rows),
                    table_of(self, "histogram").any().long(),
                ]
            )
            of_ranks = dist_sync_fn(known, group=process_group or self.process_group)
            rows, binned = torch.stack(of_ranks).sum(0).tolist()
            if rows <= self.exact_rows and not binned:
                super()._sync_dist(dist_sync_fn, process_group)
                return
            self._bin_rows()
        CheckedMetric._sync_dist(self, dist_sync_fn, process_group)


def check_thresholds(metric: str, thresholds: int | None) -> int | None:
    """`thresholds`, or UserError if there are too few to make a curve."""
    if thresholds is not None and thresholds < 2:
        raise UserError(f"{metric}: thresholds is {thresholds}; it must be at least 2")
    return thresholds


def count_scores(
    metric: HasHistogram,
    scores: Tensor,
    positive: Tensor,
    weights: Tensor | None,
    thresholds: int | None,
) -> None:
    """Add the weight of scores to the bins they fall into, of the table `histogram`.

    Args:
        metric: it has the table, `[2, bins]`, or `[C, 2, bins]` with a curve per class.
        scores: float `[B]`, or `[B, C]`.
        positive: bool or int32 of the same shape, 1 for a positive.
        weights: float `[B]`; None where every row weighs 1.
        thresholds: None for the accurate bins.
    """
    scores = scores.detach()
    bins = metric.histogram.shape[-1]
    index = accurate_bins(scores) if thresholds is None else threshold_bins(scores, thresholds)
    index = torch.add(index, positive, alpha=bins)
    if scores.dim() == 2:
        classes = scores.shape[1]
        index = index + torch.arange(0, classes * 2 * bins, 2 * bins, device=index.device)
    add_to_table(metric, "histogram", index, weights, scores)
