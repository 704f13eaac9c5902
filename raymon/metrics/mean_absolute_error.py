"""Mean absolute error."""

from __future__ import annotations

from torch import Tensor

from raymon.metrics.weighted_mean import WeightedMean


class MeanAbsoluteError(WeightedMean):
    """Mean over the samples of the absolute difference of prediction and target.

    Args:
        kwargs: what every torchmetrics metric takes.
    """

    higher_is_better = False

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Add samples.

        Args:
            preds: float `[B]`; a NaN makes the value NaN.
            target: `[B]`.
            weights: float `[B]`, sample weights; None weighs every sample 1.
        """
        self.add((preds.detach().double() - target.double()).abs(), weights)
