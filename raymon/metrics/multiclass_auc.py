"""The area under the ROC curve of each class against the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.class_labels import check_class_rows, class_labels
from raymon.metrics.base.invalid_counts import invalid_counts
from raymon.metrics.base.one_vs_rest_auc import ClassAreas, binned_areas, exact_areas
from raymon.metrics.base.row_metric import Rows
from raymon.metrics.base.rows_or_bins import EXACT_SCORES, RowsOrBins
from raymon.metrics.base.weight_tables import table_of

_NO_CLASS = -1


class MulticlassAUC(RowsOrBins):
    """Mean over the classes of the area under the ROC curve of one class against the rest.

    If no class has both sides, rows of the class and of the rest, it is NaN; the details `classes`
    and `classes_skipped` are the numbers of classes with and without both.

    Up to `exact_rows` rows it is exact; of more, or if that is 0, it comes from a histogram for
    every class, as in `AUC`, and `error_bound` is its largest error. The states are those of
    RowsOrBins: 4 bytes for each stored score, 4 a row, and with weights 8 more, or the table
    `histogram`, `[C, 2, bins]`: 1 MB a class for the accurate bins, and 3 MB more with weights.

    Args:
        num_classes: Number of classes, C.
        thresholds: Number of thresholds, for the value of torchmetrics' `MulticlassAUROC`, in which
            a class without both sides counts 0; None for the accurate value, without such classes.
        average: "macro", the mean over classes, or "weighted", by the weight of their rows.
        exact_rows: Rows that are kept, on all ranks together; None for those of EXACT_SCORES
            scores, 0 for a state of fixed size.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: There are fewer than 2 classes or thresholds, another average, or `exact_rows` is
            below 0.
    """

    invalid_label = "labels that are no class"
    missing = ("there are no rows that weigh anything", "no class has both sides")

    def __init__(
        self,
        num_classes: int,
        thresholds: int | None = None,
        average: Literal["macro", "weighted"] = "macro",
        exact_rows: int | None = None,
        **kwargs: Any,
    ) -> None:
        if num_classes < 2:
            raise UserError(f"MulticlassAUC: num_classes is {num_classes}; it must be at least 2")
        if average not in ("macro", "weighted"):
            raise UserError(f"MulticlassAUC: average is {average!r}; it must be macro or weighted")
        exact_rows = EXACT_SCORES // num_classes if exact_rows is None else exact_rows
        super().__init__((num_classes,), thresholds, exact_rows, **kwargs)
        self.num_classes = num_classes
        self.average = average
        self._both_sides: Tensor | None = None

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Adds rows.

        Args:
            preds: Probabilities, float `[B, C]`; those outside [0, 1] count as 0 or 1, and a NaN
                makes the value NaN.
            target: Index of the class, `[B]`; a label that is no class belongs to the rest of every
                class.
            weights: Sample weights, float `[B]`; None if all weigh 1. One that is neither 0 nor in
                [1e-30, 1e30], or with bins in [1e-25, 1e13], makes the value NaN.

        Raises:
            UserError: `preds` is not `[B, C]`, or another argument is not `[B]`.
        """
        check_class_rows("MulticlassAUC", preds, target, weights, self.num_classes)
        index, wrong = class_labels(target, self.num_classes)
        self.invalid += invalid_counts(preds, wrong, weights, sliced=not self.exact_rows)
        self.add(preds, torch.where(wrong == 0, index, _NO_CLASS), weights)

    def rows(self) -> Rows:
        """Returns the rows of all updates, with scores `[N, C]`. Waits for the device."""
        rows = super().rows()
        # If there are none, scores have one dimension.
        return replace(rows, preds=rows.preds.reshape(-1, self.num_classes))

    def _compute(self) -> Tensor:
        rows = self.rows_if_few()
        if rows is None:
            table = table_of(self, "histogram")
            classes = binned_areas(table, by_thresholds=self.thresholds is not None)
        else:
            classes = exact_areas(rows)
        self._both_sides = classes.both_sides
        self._has_none = torch.stack([classes.is_empty, ~classes.both_sides.any()])
        value = self._mean(classes, classes.areas)
        self._mean_bound = (
            torch.zeros_like(value)
            if classes.bounds is None
            else self._mean(classes, classes.bounds)
        )
        return value

    def details(self) -> dict[str, float]:
        """Returns the numbers of classes that have both sides, and that do not."""
        if self._both_sides is None:
            return {}
        both = int(self._both_sides.sum())
        return {"classes": both, "classes_skipped": self.num_classes - both}

    def _missing(self) -> Tensor:
        return self._has_none

    def _bound(self) -> Tensor | None:
        return self._mean_bound

    def _mean(self, classes: ClassAreas, figures: Tensor) -> Tensor:
        weighted, skip = self.average == "weighted", self.thresholds is None
        return classes.mean(figures, weighted=weighted, skip=skip).to(self.device)

    def _positive(self, label: Tensor) -> Tensor:
        classes = torch.arange(self.num_classes, device=label.device)
        return label.unsqueeze(1) == classes
