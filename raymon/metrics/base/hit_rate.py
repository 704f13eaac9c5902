"""The weighted share of rows that are hits: the base of accuracy and recall."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.class_labels import check_class_rows, class_labels
from raymon.metrics.base.invalid_counts import invalid_counts
from raymon.metrics.base.weighted_mean import WeightedMean


class HitRate(WeightedMean):
    """Base of metrics that are the weighted share of rows that are hits.

    If the label has the same score as other classes, the row counts by the share of the orders of
    these classes in which it is a hit. So a model that gives all classes the same score has the
    value of chance, whatever the index of the right class.

    Args:
        figure: Name of the hits, which contains all settings that decide what a hit is.
        kwargs: Arguments of every torchmetrics metric.
    """

    higher_is_better = True
    invalid_label = "labels that are no class"

    def add_classes(
        self, preds: Tensor, target: Tensor, weights: Tensor | None, top_k: int
    ) -> None:
        """Adds rows that are hits if the label is among the `top_k` classes.

        Args:
            preds: Scores, float `[B, C]`.
            target: Index of the class, `[B]`; a label that is no class is no hit.
            weights: Sample weights, float `[B]`; None if all weigh 1.
            top_k: Number of classes.

        Raises:
            UserError: `preds` is not `[B, C]`, or another argument is not `[B]`.
        """
        check_class_rows(type(self).__name__, preds, target, weights)
        index, wrong = class_labels(target, preds.shape[1])
        self.invalid += invalid_counts(preds, wrong, weights, probabilities=False)
        self.add(in_top_k(preds.detach(), index, top_k) * (wrong == 0), weights)


def in_top_k(preds: Tensor, index: Tensor, top_k: int) -> Tensor:
    """Returns the probability that a class is in the top k, with equal scores in any order.

    With `a` scores above it and `t` equal ones, its own included, it is (k - a) / t, within [0, 1]
    (McSherry & Najork 2008).

    Args:
        preds: Scores, float `[B, C]`.
        index: Index of the class, int64 `[B]`.
        top_k: Number of classes.

    Returns:
        The probabilities, float64 `[B]`.
    """
    score = preds.gather(1, index.unsqueeze(1))
    above, equal = (preds > score).sum(1), (preds == score).sum(1)
    return _share_of_places(above, equal, top_k)


def top_k_shares(preds: Tensor, top_k: int) -> Tensor:
    """Returns the probability of every class to be among those with the highest scores.

    Args:
        preds: Scores, float `[B, C]`.
        top_k: Number of classes.

    Returns:
        The probabilities, as those of `in_top_k`, float64 `[B, C]`.
    """
    ordered = preds.sort(1).values
    above = preds.shape[1] - torch.searchsorted(ordered, preds.contiguous(), right=True)
    equal = preds.shape[1] - above - torch.searchsorted(ordered, preds.contiguous())
    return _share_of_places(above, equal, top_k)


def _share_of_places(above: Tensor, equal: Tensor, top_k: int) -> Tensor:
    # A NaN equals nothing, not even itself.
    return ((top_k - above).double() / equal.clamp(min=1)).clamp(0, 1)


def check_top_k(metric: str, top_k: int) -> int:
    """Returns `top_k`, if it is a positive number.

    Raises:
        UserError: `top_k` is below 1.
    """
    if top_k < 1:
        raise UserError(f"{metric}: top_k is {top_k}; it must be at least 1")
    return top_k
