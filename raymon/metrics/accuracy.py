"""Share of right predictions."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from raymon.metrics.hit_rate import HitRate, check_top_k, in_top_k


class Accuracy(HitRate):
    """Share of samples that are predicted right.

    Args:
        threshold: scores above it are positive predictions; for preds `[B]`.
        top_k: a prediction is right when the label is among that many; for preds `[B, C]`.
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: `top_k` below 1.
    """

    def __init__(self, threshold: float = 0.5, top_k: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.threshold = threshold
        self.top_k = check_top_k("Accuracy", top_k)

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float, probabilities `[B]` or scores `[B, C]`; a NaN makes the value NaN.
            target: `[B]`, positive above 0.5; for preds `[B, C]` the index of the class.
            weights: float `[B]`, sample weights; None weighs every sample 1.
        """
        if preds.dim() == 2:
            self.add(in_top_k(preds, target, self.top_k), preds.isnan().any(1), weights)
        else:
            self.add((preds > self.threshold) == (target > 0.5), preds.isnan(), weights)
