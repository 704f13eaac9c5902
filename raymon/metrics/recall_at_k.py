"""Share of samples whose label is among the top k."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from raymon.metrics.hit_rate import HitRate, check_top_k


class RecallAtK(HitRate):
    """Share of samples whose label is among the `top_k` classes with the highest scores.

    Args:
        top_k: how many classes.
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: `top_k` below 1.
    """

    def __init__(self, top_k: int = 5, **kwargs: Any) -> None:
        super().__init__(f"hits_at_{top_k}", **kwargs)
        self.top_k = check_top_k("RecallAtK", top_k)

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B, C]`, scores; a NaN makes the value NaN.
            target: `[B]`, index of the class; a sample whose label is no class is a miss.
            weights: float `[B]`, sample weights; None weighs every sample 1. One that is not in
                [0, 2^20] makes the value NaN.

        Raises:
            UserError: `preds` is not `[B, C]`, or another argument not `[B]`.
        """
        self.add_classes(preds, target, weights, self.top_k)
