"""The share of right predictions."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from raymon.metrics.base.checked_metric import check_rows
from raymon.metrics.base.hit_rate import HitRate, check_top_k
from raymon.metrics.base.invalid_counts import invalid_counts, not_binary


class Accuracy(HitRate):
    """Share of rows that are predicted right.

    Args:
        threshold: Score above which a prediction is positive; for preds `[B]`.
        top_k: Number of classes with the highest scores among which the label must be; for preds
            `[B, C]`. Where the label ties with other classes, a prediction counts as right by the
            share of the orders of these classes in which it is right.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: `top_k` is below 1.
    """

    def __init__(self, threshold: float = 0.5, top_k: int = 1, **kwargs: Any) -> None:
        super().__init__(f"hits_above_{threshold}_at_{top_k}", **kwargs)
        self.threshold = threshold
        self.top_k = check_top_k("Accuracy", top_k)

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Adds rows.

        Args:
            preds: Probabilities `[B]` or scores `[B, C]`, float; a NaN makes the value NaN.
            target: Labels `[B]`, 0 or 1, where another label counts as positive above 0.5; for
                preds `[B, C]` the index of the class, where a row whose label is no class is a
                miss.
            weights: Sample weights, float `[B]`; None if all weigh 1. One that is neither 0 nor in
                [1e-30, 1e30] makes the value NaN.

        Raises:
            UserError: `preds` is neither `[B]` nor `[B, C]`, or another argument is not `[B]`.
        """
        if preds.dim() == 2:
            self.add_classes(preds, target, weights, self.top_k)
            return
        check_rows("Accuracy", preds=preds, target=target, weights=weights)
        self.invalid += invalid_counts(preds, not_binary(target), weights)
        hit = (preds.detach() > self.threshold) == (target > 0.5)
        self.add(hit, weights)
