"""Area under the ROC curve."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.auc_area import area, area_error_bound
from raymon.metrics.auc_bins import ACCURATE_BINS, accurate_bins, threshold_bins
from raymon.metrics.fixed_point import weight_units


class AUC(Metric):
    """Area under the ROC curve of binary labels, from a histogram of the scores.

    The state does not grow with the samples: `histogram`, int64 `[2, bins]`, the weight of the
    negatives and of the positives by bin, in units of 2^-WEIGHT_BITS; the last bin holds NaN.

    Args:
        thresholds: None for bins that keep the value within 1e-4 of the exact area for scores
            that are spread out, or crowd near 0, 1/2 or 1. Scores that crowd elsewhere share few
            bins: at 0.1 +- 0.001 the value was off by 1.2e-3. `error_bound` says by how much it
            can be at worst. A number for the area by that many thresholds, the value of
            torchmetrics' `BinaryAUROC`.
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: fewer than 2 thresholds.
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False
    histogram: Tensor

    def __init__(self, thresholds: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.thresholds = check_thresholds(type(self).__name__, thresholds)
        bins = ACCURATE_BINS if thresholds is None else thresholds + 1
        self.add_state("histogram", torch.zeros(2, bins, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B]`, probabilities; a NaN makes the value NaN.
            target: `[B]`, positive above 0.5.
            weights: float `[B]`, sample weights; None weighs every sample 1.
        """
        units = weight_units(weights, preds)
        count_scores(self.histogram, preds, target > 0.5, units, self.thresholds)

    def compute(self) -> Tensor:
        """The area: float64 scalar; 0.0 where a class is missing."""
        return area(self.histogram, by_thresholds=self.thresholds is not None)

    def error_bound(self) -> Tensor:
        """How far the value can be from that of the exact scores: float64 scalar.

        It is of this process's own samples.
        """
        return area_error_bound(self.histogram)


def check_thresholds(metric: str, thresholds: int | None) -> int | None:
    """`thresholds`, or UserError if there are too few to make a curve."""
    if thresholds is not None and thresholds < 2:
        raise UserError(f"{metric}: thresholds is {thresholds}; it must be at least 2")
    return thresholds


def count_scores(
    histogram: Tensor, scores: Tensor, positive: Tensor, units: Tensor, thresholds: int | None
) -> None:
    """Add the weight of scores to the bins they fall into.

    Args:
        histogram: int64 `[2, bins]`, or `[C, 2, bins]` with a curve per class; added to in place.
        scores: float `[B]`, or `[B, C]`.
        positive: bool of the same shape.
        units: int64 `[B]`, weights.
        thresholds: as for AUC; it decides what the bins are.
    """
    scores = scores.detach()
    bins = histogram.shape[-1]
    index = accurate_bins(scores) if thresholds is None else threshold_bins(scores, thresholds)
    index = torch.add(index, positive, alpha=bins)
    if scores.dim() == 2:
        classes = scores.shape[1]
        index = index + torch.arange(0, classes * 2 * bins, 2 * bins, device=index.device)
        units = units.unsqueeze(1).expand(-1, classes)
    histogram.view(-1).index_add_(0, index.reshape(-1), units.reshape(-1))
