"""XAUC from a histogram."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.binned_pairs import binned_share
from raymon.metrics.checked_metric import LABELS, CheckedMetric, check_rows
from raymon.metrics.fixed_point import weight_units
from raymon.metrics.invalid import invalid_counts
from raymon.metrics.real_bins import SLOTS, RealBins, slots

SCORE_BINS = RealBins((-9, 2), (-3, 4), (5, 2), last=21, negative_bits=1)
LABEL_BINS = RealBins((-4, 2), (0, 3), (8, 2), last=22, negative_bits=2)


class BinnedXAUC(CheckedMetric):
    """The share of concordant pairs, as XAUC, from a histogram of the scores and labels.

    Args:
        kwargs: what every torchmetrics metric takes.
    """

    higher_is_better = True
    is_differentiable = False
    invalid_label = "labels that are not finite"
    cells: Tensor
    score_slots: Tensor
    label_slots: Tensor
    rows: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, shape in {
            "cells": (SCORE_BINS.count, LABEL_BINS.count),
            "score_slots": (SCORE_BINS.count, SLOTS),
            "label_slots": (LABEL_BINS.count, SLOTS),
            "rows": (),
        }.items():
            self.add_state(name, torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B]`, scores, any real; compared as float32. A NaN makes the value NaN.
            target: `[B]`, labels; compared as float32, in which they must be finite.
            weights: float `[B]`, sample weights; None weighs every sample 1. One that is not in
                [0, 2^31] makes the value NaN.

        Raises:
            UserError: the arguments are not `[B]`.
        """
        check_rows("BinnedXAUC", preds=preds, target=target, weights=weights)
        # Adding 0 makes -0.0 the same as 0.0.
        preds, target = preds.detach().float() + 0.0, target.detach().float() + 0.0
        self.invalid += invalid_counts(preds, target - target, weights, probabilities=False)
        units = weight_units(weights, preds)
        self.rows += len(preds) if weights is None else torch.count_nonzero(units)
        score, label = SCORE_BINS.index(preds), LABEL_BINS.index(target)
        _add(self.cells, score, label, units)
        _add(self.score_slots, score, slots(preds), units)
        _add(self.label_slots, label, slots(target), units)

    def _compute(self) -> Tensor:
        return self._share()[0].masked_fill(self.invalid[LABELS] > 0, float("nan"))

    def _bound(self) -> Tensor:
        return self._share()[1]

    def _share(self) -> tuple[Tensor, Tensor]:
        return binned_share(self.cells, self.score_slots, self.label_slots, self.rows)


def _add(table: Tensor, row: Tensor, column: Tensor, units: Tensor) -> None:
    """Add weights to the cells of a table: int64 `[R, C]`, in place."""
    table.view(-1).index_add_(0, torch.add(column, row, alpha=table.shape[1]), units)
