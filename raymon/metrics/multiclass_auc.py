"""Area under the ROC curve of each class against the rest."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.auc_area import area, area_error_bound, has_pairs
from raymon.metrics.auc_bins import ACCURATE_BINS
from raymon.metrics.checked_metric import CheckedMetric
from raymon.metrics.class_labels import check_class_rows, class_labels
from raymon.metrics.fixed_point import weight_units
from raymon.metrics.invalid import invalid_counts
from raymon.metrics.score_histogram import check_thresholds, count_scores


class MulticlassAUC(CheckedMetric):
    """Mean over the classes of the area under the ROC curve of one class against the rest.

    The state is `histogram`, int64 `[C, 2, bins]`, one as in AUC for every class: 1 MB a class
    for the accurate bins.

    Args:
        num_classes: C.
        thresholds: None for the fine bins of `AUC`, with its error; classes
            without both sides left out; a number for the value of torchmetrics' `MulticlassAUROC`
            by that many thresholds, where such a class counts 0.
        average: "macro", the mean over classes, or "weighted", by the weight of their samples.
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: fewer than 2 classes or thresholds, or another average.
    """

    higher_is_better = True
    is_differentiable = False
    invalid_label = "labels that are no class"
    histogram: Tensor

    def __init__(
        self,
        num_classes: int,
        thresholds: int | None = None,
        average: Literal["macro", "weighted"] = "macro",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_classes < 2:
            raise UserError(f"MulticlassAUC: num_classes is {num_classes}; it must be at least 2")
        if average not in ("macro", "weighted"):
            raise UserError(f"MulticlassAUC: average is {average!r}; it must be macro or weighted")
        self.num_classes = num_classes
        self.thresholds = check_thresholds("MulticlassAUC", thresholds)
        self.average = average
        bins = ACCURATE_BINS if thresholds is None else thresholds + 1
        empty = torch.zeros(num_classes, 2, bins, dtype=torch.int64)
        self.add_state("histogram", empty, dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B, C]`, probabilities; those outside [0, 1] count as 0 or 1, and a NaN
                makes the value NaN.
            target: `[B]`, index of the class; a label that is no class is the rest to all.
            weights: float `[B]`, sample weights; None weighs every sample 1. One that is not in
                [0, 2^20] makes the value NaN.

        Raises:
            UserError: `preds` is not `[B, C]`, or another argument not `[B]`.
        """
        check_class_rows("MulticlassAUC", preds, target, weights, self.num_classes)
        index, wrong = class_labels(target, self.num_classes)
        self.invalid += invalid_counts(preds, wrong, weights)
        classes = torch.arange(self.num_classes, device=preds.device)
        positive = (index.unsqueeze(1) == classes) & (wrong == 0).unsqueeze(1)
        units = weight_units(weights, preds)
        count_scores(self.histogram, preds, positive, units, self.thresholds)

    def _compute(self) -> Tensor:
        # 0.0 where no class has both sides.
        return self._mean(area(self.histogram, by_thresholds=self.thresholds is not None))

    def _bound(self) -> Tensor | None:
        by_thresholds = self.thresholds is not None
        return self._mean(area_error_bound(self.histogram, by_thresholds=by_thresholds))

    def _mean(self, of_classes: Tensor) -> Tensor:
        """The average over the classes of float64 `[C]`."""
        weight = torch.ones_like(of_classes)
        if self.average == "weighted":
            weight = self.histogram[:, 1, :-1].sum(-1).double()
        if self.thresholds is None:
            weight = weight * has_pairs(self.histogram)
        total = weight.sum()
        return torch.where(total > 0, (of_classes * weight).sum() / total, of_classes.sum())
