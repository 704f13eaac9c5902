"""Share of samples whose label is among the top k."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.hit_rate import HitRate, check_top_k, in_top_k


class RecallAtK(HitRate):
    """Share of samples whose label is among the `top_k` classes with the highest scores.

    Args:
        top_k: how many classes.
        kwargs: what every torchmetrics metric takes.

    Raises:
        UserError: `top_k` below 1.
    """

    def __init__(self, top_k: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.top_k = check_top_k("RecallAtK", top_k)

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B, C]`, scores; a NaN makes the value NaN.
            target: `[B]`, index of the class.
            weights: float `[B]`, sample weights; None weighs every sample 1.

        Raises:
            UserError: `preds` is not `[B, C]`.
        """
        if preds.dim() != 2:
            raise UserError(
                f"RecallAtK: preds has shape {list(preds.shape)}; it must be [B, C], "
                "a score for every class"
            )
        self.add(in_top_k(preds, target, self.top_k), preds.isnan().any(1), weights)
