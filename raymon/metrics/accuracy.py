"""Share of right predictions."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from raymon.metrics.base.checked_metric import check_rows
from raymon.metrics.base.hit_rate import HitRate, check_top_k
from raymon.metrics.base.invalid import invalid_counts, not_binary


class Accuracy(HitRate):
    """Share of samples that are predicted right.

    Args:
        threshold: scores above it are positive predictions; for preds `[B]`.
        top_k: a prediction is right when the label is among that many; for preds `[B, C]`. With
            equal scores it is right as often as it would be in the mean over their orders.
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: `top_k` below 1.
    """

    def __init__(self, threshold: float = 0.5, top_k: int = 1, **kwargs: Any) -> None:
        super().__init__(f"hits_above_{threshold}_at_{top_k}", **kwargs)
        self.threshold = threshold
        self.top_k = check_top_k("Accuracy", top_k)

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float, probabilities `[B]` or scores `[B, C]`; a NaN makes the value NaN.
            target: `[B]`, 0 or 1, another label counts as positive above 0.5; for preds `[B, C]`
                the index of the class, and a sample whose label is no class is a miss.
            weights: float `[B]`, sample weights; None weighs every sample 1. One that is neither 0
                nor in [1e-30, 1e30] makes the value NaN.

        Raises:
            UserError: `preds` is neither `[B]` nor `[B, C]`, or another argument not `[B]`.
        """
        if preds.dim() == 2:
            self.add_classes(preds, target, weights, self.top_k)
            return
        check_rows("Accuracy", preds=preds, target=target, weights=weights)
        self.invalid += invalid_counts(preds, not_binary(target), weights)
        hit = (preds.detach() > self.threshold) == (target > 0.5)
        self.add(hit, weights)
