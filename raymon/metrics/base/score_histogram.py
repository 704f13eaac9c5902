"""The counts of both classes by score, from which an area under a curve is computed."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from raymon.metrics.base.checked_metric import NAN_SCORES, WEIGHTS, check_rows
from raymon.metrics.base.invalid_counts import clean_classes, invalid_counts, not_binary
from raymon.metrics.base.row_metric import Rows
from raymon.metrics.base.rows_or_bins import EXACT_SCORES, RowsOrBins
from raymon.metrics.base.weight_tables import table_of
from raymon.metrics.numerics.auc_bins import accurate_edges
from raymon.metrics.numerics.class_counts import ClassCounts
from raymon.metrics.numerics.exact_counts import scores_and_counts
from raymon.metrics.numerics.fixed_point import WEIGHT_BITS
from raymon.metrics.numerics.score_curves import score_curves
from raymon.results import ScoreCurves


class ScoreHistogram(RowsOrBins):
    """Base of metrics of binary labels that are computed from the counts of each class by score.

    The states are those of RowsOrBins: 8 bytes for each stored row and with weights 16, or the
    table `histogram`, int64 `[2, bins]`.

    Args:
        thresholds: Number of thresholds, equally spaced from 0 to 1, between which the bins are;
            None for every score, or the fine bins of `accurate_bins`.
        exact_rows: Rows that are stored; 0 for bins from the first row on.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: There are fewer than 2 thresholds, or `exact_rows` is below 0.
    """

    missing: tuple[str, ...] = (
        "there are no rows that weigh anything",
        "there is one class alone (labels are all 0)",
        "there is one class alone (labels are all 1)",
    )
    draws_curves = False
    """Whether `curves` has any of the values that are computed from now on."""

    def __init__(
        self, thresholds: int | None = None, exact_rows: int = EXACT_SCORES, **kwargs: Any
    ) -> None:
        super().__init__((), thresholds, exact_rows, **kwargs)
        self._is_exact = False
        self._curves: ScoreCurves | None = None

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Adds rows.

        Args:
            preds: Probabilities, float `[B]`; those outside [0, 1] count as 0 or 1, and a NaN makes
                the value NaN.
            target: Labels `[B]`, 0 or 1; another label counts as positive above 0.5.
            weights: Sample weights, float `[B]`; None if all weigh 1. One that is neither 0 nor in
                [1e-30, 1e30], or with bins in [1e-25, 1e13], makes the value NaN.

        Raises:
            UserError: The arguments are not `[B]`.
        """
        check_rows(type(self).__name__, preds=preds, target=target, weights=weights)
        positive = None if weights is not None else clean_classes(preds, target)
        if positive is None:
            target = target.float()
            sliced = not self.exact_rows
            self.invalid += invalid_counts(preds, not_binary(target), weights, sliced=sliced)
            # The sign of 1/2 - target, shifted into the lowest bit: comparing would take longer.
            positive = (0.5 - target).view(torch.int32).bitwise_right_shift_(31).neg_()
        self.add(preds, positive, weights)

    def counts(self) -> Tensor:
        """Returns the weight of each class by score, or by bin.

        Waits for the device if rows are stored.

        Returns:
            int64 `[2, scores + 1]`, or float64 if rows have weights; the last column is for NaN. On
            the CPU if rows are stored.
        """
        rows = self.rows_if_few()
        self._is_exact = rows is not None
        if rows is None:
            counts = table_of(self, "histogram")
            self._curves = self._curves_of_bins(counts) if self.draws_curves else None
            return counts
        weights = rows.distinct_weights()
        scores, counts = scores_and_counts(rows.preds, rows.target, weights)
        if self.draws_curves:
            unit = _weight_of_each(rows) if weights is None else 1.0
            negative, positive = counts[:, :-1].numpy()
            self._curves = score_curves(ClassCounts(scores, negative, positive, unit))
        return counts

    def curves(self) -> ScoreCurves | None:
        """Returns what plots show of the rows of the value that was computed last.

        Waits for the device.

        Returns:
            The curves; None if there are no rows, if the input had scores of NaN or wrong weights,
            or if `draws_curves` was not set.
        """
        found, curves = self.found_invalid, self._curves
        if found is None:
            return None
        return None if bool(found[NAN_SCORES] + found[WEIGHTS] > 0) else curves

    def reset(self) -> None:
        """Resets all states, as `torchmetrics.Metric.reset` does."""
        super().reset()
        self._curves = None

    def _curves_of_bins(self, counts: Tensor) -> ScoreCurves | None:
        if self.thresholds is None:
            bounds = accurate_edges()
        else:
            # The last bin has the scores that reach the last threshold, which is 1.
            bounds = np.append(self.get_buffer("_edges").double().cpu().numpy(), 1.0)
        by_thresholds, columns = self.thresholds is not None, counts[:, :-1].cpu().numpy()
        unit = 2.0**-WEIGHT_BITS
        return score_curves(ClassCounts.of_bins(bounds, columns, unit, by_thresholds=by_thresholds))

    @abstractmethod
    def _value(self, counts: Tensor) -> Tensor:
        """Returns the value of counts as `counts` returns them: float64 scalar."""

    @abstractmethod
    def _bound_of(self, counts: Tensor) -> Tensor:
        """Returns how far the value can be off if scores share bins: float64 scalar."""

    def _compute(self) -> Tensor:
        counts = self.counts()
        value = self._value(counts)
        bound = torch.zeros_like(value) if self._is_exact else self._bound_of(counts)
        self._binned_bound = bound.to(self.device)
        self._class_weight = counts.sum(1).to(self.device)
        return value.to(self.device)

    def _bound(self) -> Tensor | None:
        return self._binned_bound

    def _missing(self) -> Tensor:
        negative, positive = self._class_weight
        return torch.stack([negative + positive == 0, positive == 0, negative == 0])

    def _positive(self, label: Tensor) -> Tensor:
        return label.to(torch.int32)


def _weight_of_each(rows: Rows) -> float:
    """Returns the weight that all rows have."""
    return float(rows.weights[0]) if rows.weights is not None and len(rows.weights) else 1.0
