"""The area under the ROC curve of each class against the rest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from raymon.metrics.base.kept_rows import Rows
from raymon.metrics.numerics.auc_area import area, area_error_bound, has_pairs
from raymon.metrics.numerics.exact_counts import exact_counts
from raymon.metrics.numerics.ordered_sum import ordered_sum


@dataclass(frozen=True)
class ClassAreas:
    """What is known of the curves of all classes.

    Attributes:
        areas: float64 `[C]`; NaN where the class or the rest is missing, or a score is NaN.
        bounds: float64 `[C]`, how far each can be off, NaN as they are; None where they are exact.
        weights: float64 `[C]`, of the samples of each class; their ratios are right.
        both_sides: bool `[C]`, whether the class and the rest are there.
        is_empty: bool scalar, whether nothing weighs anything.
    """

    areas: Tensor
    bounds: Tensor | None
    weights: Tensor
    both_sides: Tensor
    is_empty: Tensor

    def mean(self, of_classes: Tensor, *, weighted: bool, skip: bool) -> Tensor:
        """The mean over the classes: float64 scalar; NaN where none has both sides.

        Args:
            of_classes: float64 `[C]`, such as `areas`.
            weighted: by the weight of their samples.
            skip: leave out the classes without both sides, which else count 0.
        """
        weight = self.weights if weighted else torch.ones_like(of_classes)
        if skip:
            weight = weight * self.both_sides
        known = torch.where(self.both_sides, of_classes, 0.0)
        mean = ordered_sum(known * weight) / ordered_sum(weight)
        return mean.masked_fill(~self.both_sides.any(), float("nan"))


def binned_areas(table: Tensor, *, by_thresholds: bool) -> ClassAreas:
    """The areas of the histograms of all classes.

    Args:
        table: int64 or float64 `[C, 2, bins]`, a histogram as for `area` of each class.
        by_thresholds: as for `area`.
    """
    return ClassAreas(
        areas=area(table, by_thresholds=by_thresholds),
        bounds=area_error_bound(table, by_thresholds=by_thresholds),
        weights=_positives(table),
        both_sides=has_pairs(table),
        is_empty=(table == 0).all(),
    )


def exact_areas(rows: Rows) -> ClassAreas:
    """The areas of the rows themselves, on the CPU. Waits for the device.

    Args:
        rows: scores `[N, C]` in [0, 1], or NaN; labels are the index of a class, or none.
    """
    # A class at a time, so that what is made on the way is of one alone.
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
