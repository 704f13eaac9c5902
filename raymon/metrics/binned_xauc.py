"""XAUC from a histogram."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from raymon.metrics.base.checked_metric import LABELS, CheckedMetric, check_rows
from raymon.metrics.base.invalid_counts import invalid_counts
from raymon.metrics.base.weight_tables import add_table, add_to_table, table_of
from raymon.metrics.numerics.binned_pairs import binned_share
from raymon.metrics.numerics.fixed_point import valid_weights
from raymon.metrics.numerics.real_bins import SLOTS, RealBins, slots

SCORE_BINS = RealBins((-9, 2), (-3, 4), (5, 2), last=21, negative_bits=1)
LABEL_BINS = RealBins((-4, 2), (0, 3), (8, 2), last=22, negative_bits=2)


class BinnedXAUC(CheckedMetric):
    """The share of concordant pairs, as XAUC, from a histogram of scores and labels.

    The bins follow the bits of a float: 16 for each power of 2 from 1/8 to 32 for scores, 8 from 1
    to 256 for labels, 4 on either side, down to 2^-9 and 1/16, up to 2^21 and 2^22; twice as wide
    for negative scores, four times for negative labels; one for 0. For pairs in different bins of
    both the value is exact, and so it is for equal labels, or scores, that have a bin to
    themselves: zeros, ratings, whole numbers up to 16. The share of the other pairs is estimated,
    as `binned_share` says.

    For 400,000 log-normal watch times with scores of correlation 0.3, 0.6 and 0.9, as seconds,
    their logarithms or probabilities, the value was within 2e-4 of the exact one; so it was for
    ratings from 1 to 5, with 40 % zeros, and for whole seconds. It was within 9e-4 where scores
    were rounded to 0.1 or to bfloat16, and within 1.2e-3 for logarithms of whole seconds. Where all
    scores lie in few bins it is worse: 7e-3 for a standard deviation of 0.02 about 0.3.

    `error_bound` is the share of the pairs that may or may not be concordant, times the largest
    error of their estimate, from a half to one. In the cases above it was 0.01 to 0.14, so that it
    only tells which of two models is better if their values are far apart. It may fail by chance:
    several values of a bin are taken for one in 1 of 16 bins of two values, and in 1 of 256 bins of
    three.

    The states do not grow with the rows. Tables of `weight_tables` are `cells` `[327, 173]`,
    the weight by bin of scores and of labels; `score_slots` `[327, 16]` and `label_slots`
    `[173, 16]`, the weight by bin and by a hash of the value, which distinguish equal values from
    others; `rows`, the number of rows that weigh anything; `weighted`, the number of those that do
    not weigh 1.

    Pairs weigh the product of the weights of their rows, as in XAUC, except that the weight of a
    row with itself is taken from the mean weight. It matters if few rows have most of the weight,
    and is in the bound.

    Args:
        kwargs: Arguments of every torchmetrics metric.
    """

    higher_is_better = True
    is_differentiable = False
    invalid_label = "labels that are not finite"
    missing = ("there is no pair of rows that weigh anything", "all labels are equal")
    cells: Tensor
    score_slots: Tensor
    label_slots: Tensor
    rows: Tensor
    weighted: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        add_table(self, "cells", (SCORE_BINS.count, LABEL_BINS.count))
        add_table(self, "score_slots", (SCORE_BINS.count, SLOTS))
        add_table(self, "label_slots", (LABEL_BINS.count, SLOTS))
        for name in ("rows", "weighted"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Adds rows.

        Args:
            preds: Scores, float `[B]`, any real; compared as float32. A NaN makes the value NaN.
            target: Labels `[B]`; compared as float32, in which they must be finite.
            weights: Sample weights, float `[B]`; None if all weigh 1. One that is neither 0 nor in
                [1e-25, 1e13] makes the value NaN.

        Raises:
            UserError: The arguments are not `[B]`.
        """
        check_rows("BinnedXAUC", preds=preds, target=target, weights=weights)
        # Adding 0 makes -0.0 the same as 0.0.
        preds, target = preds.detach().float() + 0.0, target.detach().float() + 0.0
        self.invalid += invalid_counts(
            preds, target - target, weights, probabilities=False, sliced=True
        )
        if weights is None:
            self.rows += len(preds)
        else:
            valid = valid_weights(weights)
            self.rows += torch.count_nonzero(valid)
            self.weighted += torch.count_nonzero(valid - 1)
        score, label = SCORE_BINS.index(preds), LABEL_BINS.index(target)
        for name, row, column in (
            ("cells", score, label),
            ("score_slots", score, slots(preds)),
            ("label_slots", label, slots(target)),
        ):
            width = getattr(self, name).shape[1]
            add_to_table(self, name, torch.add(column, row, alpha=width), weights, preds)

    def _compute(self) -> Tensor:
        share = self._share()[0].masked_fill(self._missing()[1], float("nan"))
        return share.masked_fill(self.invalid[LABELS] > 0, float("nan"))

    def _bound(self) -> Tensor:
        return self._share()[1]

    def _missing(self) -> Tensor:
        # Different values of a bin may share a slot by chance; it is negligible that all rows do.
        values = (table_of(self, "label_slots") > 0).sum()
        return torch.stack([self.rows < 2, values == 1])

    def _share(self) -> tuple[Tensor, Tensor]:
        return binned_share(
            table_of(self, "cells"),
            table_of(self, "score_slots"),
            table_of(self, "label_slots"),
            self.rows,
            self.weighted,
        )
