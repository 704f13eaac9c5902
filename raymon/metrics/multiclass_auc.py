"""Area under the ROC curve of each class against the rest."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.auc import check_thresholds, count_scores
from raymon.metrics.auc_area import area, has_pairs
from raymon.metrics.auc_bins import ACCURATE_BINS
from raymon.metrics.fixed_point import weight_units


class MulticlassAUC(Metric):
    """Mean over the classes of the area under the ROC curve of one class against the rest.

    The state is `histogram`, int64 `[C, 2, bins]`, one as in AUC for every class: 0.6 MB a class
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

    full_state_update = False
    higher_is_better = True
    is_differentiable = False
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
            preds: float `[B, C]`, probabilities; a NaN makes the value NaN.
            target: `[B]`, index of the class.
            weights: float `[B]`, sample weights; None weighs every sample 1.

        Raises:
            UserError: `preds` is not `[B, C]`.
        """
        if preds.dim() != 2 or preds.shape[1] != self.num_classes:
            raise UserError(
                f"MulticlassAUC: preds has shape {list(preds.shape)}; "
                f"it must be [B, {self.num_classes}]"
            )
        classes = torch.arange(self.num_classes, device=preds.device)
        positive = target.unsqueeze(1) == classes
        units = weight_units(weights, preds)
        count_scores(self.histogram, preds, positive, units, self.thresholds)

    def compute(self) -> Tensor:
        """The mean area: float64 scalar; 0.0 where no class has both sides."""
        areas = area(self.histogram, by_thresholds=self.thresholds is not None)
        if self.average == "weighted":
            weight = self.histogram[:, 1, :-1].sum(-1).double()
        else:
            weight = torch.ones_like(areas)
        if self.thresholds is None:
            weight = weight * has_pairs(self.histogram)
        total = weight.sum()
        mean = (areas * weight).sum() / total
        return torch.where(total > 0, mean, areas.sum())
