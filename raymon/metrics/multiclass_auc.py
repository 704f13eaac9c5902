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
from raymon.metrics.invalid import invalid_counts
from raymon.metrics.score_histogram import check_thresholds, count_scores
from raymon.metrics.sliced_weights import add_table, table_of


class MulticlassAUC(CheckedMetric):
    """Mean over the classes of the area under the ROC curve of one class against the rest.

    Without a class that has both sides it is NaN; the details `classes` and `classes_skipped` say
    how many have them, and how many have not.

    The state is `histogram`, `[C, 2, bins]`, a table of `sliced_weights`, one as in AUC for
    every class: 1 MB a class for the accurate bins, and 3 MB more with weights.

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
    missing = ("there are no rows that weigh anything", "no class has both sides")
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
        add_table(self, "histogram", (num_classes, 2, bins))

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B, C]`, probabilities; those outside [0, 1] count as 0 or 1, and a NaN
                makes the value NaN.
            target: `[B]`, index of the class; a label that is no class is the rest to all.
            weights: float `[B]`, sample weights; None weighs every sample 1. One that is neither 0
                nor in [1e-25, 1e13] makes the value NaN.

        Raises:
            UserError: `preds` is not `[B, C]`, or another argument not `[B]`.
        """
        check_class_rows("MulticlassAUC", preds, target, weights, self.num_classes)
        index, wrong = class_labels(target, self.num_classes)
        self.invalid += invalid_counts(preds, wrong, weights, sliced=True)
        classes = torch.arange(self.num_classes, device=preds.device)
        positive = (index.unsqueeze(1) == classes) & (wrong == 0).unsqueeze(1)
        count_scores(self, preds, positive, weights, self.thresholds)

    def _compute(self) -> Tensor:
        self._table = table_of(self, "histogram")
        return self._mean(area(self._table, by_thresholds=self.thresholds is not None))

    def details(self) -> dict[str, float]:
        both = int(self._both_sides.sum())
        return {"classes": both, "classes_skipped": self.num_classes - both}

    def _missing(self) -> Tensor:
        return torch.stack([(self._table == 0).all(), ~self._both_sides.any()])

    def _bound(self) -> Tensor | None:
        by_thresholds = self.thresholds is not None
        return self._mean(area_error_bound(self._table, by_thresholds=by_thresholds))

    def _mean(self, of_classes: Tensor) -> Tensor:
        """The average over the classes of float64 `[C]`."""
        self._both_sides = has_pairs(self._table)
        weight = torch.ones_like(of_classes)
        if self.average == "weighted":
            weight = self._table[:, 1, :-1].sum(-1).double()
        # One of NaN scores has the value of what is no number.
        nan = (self._table[..., -1] > 0).any()
        if self.thresholds is None:
            weight = weight * self._both_sides
        # What has no value counts 0 in the mean by thresholds, and not at all in the other.
        known = torch.where(self._both_sides, of_classes, 0.0)
        undefined = nan | ~self._both_sides.any()
        return ((known * weight).sum() / weight.sum()).masked_fill(undefined, float("nan"))
