"""The histogram of the scores of both classes: what an area under a curve is computed from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.auc_bins import ACCURATE_BINS, accurate_bins, threshold_bins
from raymon.metrics.checked_metric import CheckedMetric, check_rows
from raymon.metrics.fixed_point import weight_units
from raymon.metrics.invalid import clean_classes, invalid_counts, not_binary


class ScoreHistogram(CheckedMetric):
    """Base of metrics of binary labels that are computed from a histogram of the scores.

    The state does not grow with the samples: `histogram`, int64 `[2, bins]`, the weight of the
    negatives and of the positives by bin, in units of 2^-WEIGHT_BITS; the last bin holds NaN.

    Args:
        thresholds: None for the fine bins of `accurate_bins`; a number for the bins between that
            many thresholds, equally spaced from 0 to 1.
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: fewer than 2 thresholds.
    """

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
            preds: float `[B]`, probabilities; those outside [0, 1] count as 0 or 1, and a NaN
                makes the value NaN.
            target: `[B]`, 0 or 1; another label counts as positive above 0.5.
            weights: float `[B]`, sample weights; None weighs every sample 1. One that is not in
                [0, 2^20] makes the value NaN.

        Raises:
            UserError: the arguments are not `[B]`.
        """
        check_rows(type(self).__name__, preds=preds, target=target, weights=weights)
        positive = None if weights is not None else clean_classes(preds, target)
        if positive is None:
            target = target.float()
            self.invalid += invalid_counts(preds, not_binary(target), weights)
            # The sign of 1/2 - target, shifted into the lowest bit: comparing would take longer.
            positive = (0.5 - target).view(torch.int32).bitwise_right_shift_(31).neg_()
        units = weight_units(weights, preds)
        count_scores(self.histogram, preds, positive, units, self.thresholds)


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
        positive: bool or int32 of the same shape, 1 for a positive.
        units: int64 `[B]`, weights.
        thresholds: None for the accurate bins.
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
