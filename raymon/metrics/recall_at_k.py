"""The share of positives that are among the top k."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import check_rows
from raymon.metrics.base.hit_rate import HitRate, check_top_k, top_k_shares
from raymon.metrics.base.invalid_counts import invalid_counts, not_binary


class RecallAtK(HitRate):
    """Share of positives that are among the `top_k` classes, or candidates, of the highest scores.

    With one label a row it is the share of rows whose label is among them; with several positives a
    row, the share of all positives of all rows. Equal scores count as the mean over their orders.

    Args:
        top_k: Number of classes.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: `top_k` is below 1.
    """

    missing = ("there is no positive that weighs anything",)

    def __init__(self, top_k: int = 5, **kwargs: Any) -> None:
        super().__init__(f"hits_at_{top_k}", **kwargs)
        self.top_k = check_top_k("RecallAtK", top_k)

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Adds rows.

        Args:
            preds: Scores, float `[B, C]`; a NaN makes the value NaN.
            target: Index of the class, `[B]`, where a row whose label is no class is a miss; or
                `[B, C]`, 1 or true for each of several positives, where another label than 0 and 1
                counts as positive above 0.5.
            weights: Sample weights, float `[B]`; None if all weigh 1. One that is neither 0 nor in
                [1e-30, 1e30] makes the value NaN.

        Raises:
            UserError: `preds` is not `[B, C]`, or another argument has another shape than said.
        """
        if target.dim() != 2:
            self.add_classes(preds, target, weights, self.top_k)
            return
        if target.shape != preds.shape:
            raise UserError(
                f"RecallAtK: preds has shape {list(preds.shape)} and target {list(target.shape)}; "
                "a target of several positives must have the shape of preds, [B, C]"
            )
        check_rows("RecallAtK", preds=preds.select(1, 0), weights=weights)
        wrong = not_binary(target.double()).abs().sum(1)
        self.invalid += invalid_counts(preds, wrong, weights, probabilities=False)
        positive = target > 0.5
        hits = (top_k_shares(preds.detach(), self.top_k) * positive).sum(1)
        self.add(hits, weights, counts=positive.sum(1).double())
