"""The area under the ROC curve of each class against the rest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from raymon.metrics.base.row_metric import Rows
from raymon.metrics.numerics.auc_area import area, area_error_bound, has_pairs
from raymon.metrics.numerics.exact_counts import exact_counts
from raymon.metrics.numerics.ordered_sum import ordered_sum


@dataclass(frozen=True)
class ClassAreas:
    """The areas under the curves of all classes, with their bounds and weights.

    Attributes:
        areas: Areas, float64 `[C]`; NaN if the class or the rest is missing, or a score is NaN.
        bounds: How far each area can be off, float64 `[C]`, NaN where the area is; None if areas
            are exact.
        weights: Weight of the samples of each class, float64 `[C]`; only their ratios are
            meaningful.
        both_sides: Whether both the class and the rest are there, bool `[C]`.
        is_empty: Whether no sample weighs anything, bool scalar.
    """

    areas: Tensor
    bounds: Tensor | None
    weights: Tensor
    both_sides: Tensor
    is_empty: Tensor

    def mean(self, of_classes: Tensor, *, weighted: bool, skip: bool) -> Tensor:
        """Returns the mean over the classes: float64 scalar; NaN if none has both sides.

        Args:
            of_classes: Figures of the classes, float64 `[C]`, such as `areas`.
            weighted: Whether classes count by the weight of their rows.
            skip: Whether classes without both sides are left out; else they count 0.
        """
        weight = self.weights if weighted else torch.ones_like(of_classes)
        if skip:
            weight = weight * self.both_sides
        known = torch.where(self.both_sides, of_classes, 0.0)
        mean = ordered_sum(known * weight) / ordered_sum(weight)
        return mean.masked_fill(~self.both_sides.any(), float("nan"))


def binned_areas(table: Tensor, *, by_thresholds: bool) -> ClassAreas:
    """Returns the areas of the histograms of all classes.

    Args:
        table: Histograms as for `area`, one for each class, int64 or float64 `[C, 2, bins]`.
        by_thresholds: Whether the bins are those of thresholds, as for `area`.
    """
    return ClassAreas(
        areas=area(table, by_thresholds=by_thresholds),
        bounds=area_error_bound(table, by_thresholds=by_thresholds),
        weights=_positives(table),
        both_sides=has_pairs(table),
        is_empty=(table == 0).all(),
    )


def exact_areas(rows: Rows) -> ClassAreas:
    """Returns the areas of the rows themselves, on the CPU. Waits for the device.

    Args:
        rows: Rows with scores `[N, C]` in [0, 1], or NaN; a label is the index of a class, or of
            none.
    """
    # One class at a time, so that intermediate results are those of one class only.
    columns, target = rows.preds.cpu().T.contiguous(), rows.target.cpu()
    given = rows.distinct_weights()
    given = None if given is None else given.cpu()
    areas, weights, both_sides, is_empty = [], [], [], []
    for label, scores in enumerate(columns):
        counts = exact_counts(scores, target == label, given)
        areas.append(area(counts, by_thresholds=False))
        weights.append(_positives(counts))
        both_sides.append(has_pairs(counts))
        is_empty.append((counts == 0).all())
    return ClassAreas(
        areas=torch.stack(areas),
        bounds=None,
        weights=torch.stack(weights),
        both_sides=torch.stack(both_sides),
        is_empty=torch.stack(is_empty).all(),
    )


def _positives(histogram: Tensor) -> Tensor:
    return ordered_sum(histogram[..., 1, :-1]).double()
