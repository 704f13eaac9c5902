"""The mean of a function of the error of each row."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from raymon.metrics.base.checked_metric import LABELS, check_rows
from raymon.metrics.base.invalid_counts import invalid_counts
from raymon.metrics.base.weighted_mean import WeightedMean


class MeanError(WeightedMean):
    """Base of metrics of real labels: the mean of a function of prediction minus label."""

    higher_is_better = False
    invalid_label = "labels that are not finite"

    def update(self, preds: Tensor, target: Tensor, weights: Tensor | None = None) -> None:
        """Adds rows.

        Args:
            preds: Predictions, float `[B]`; a NaN makes the value NaN, an infinite one infinite.
            target: Real labels, `[B]`; one that is not finite makes the value NaN.
            weights: Sample weights, float `[B]`; None if all weigh 1. One that is neither 0 nor in
                [1e-30, 1e30] makes the value NaN.

        Raises:
            UserError: The arguments are not `[B]`.
        """
        check_rows(type(self).__name__, preds=preds, target=target, weights=weights)
        label = target.double()
        self.invalid += invalid_counts(preds, label - label, weights, probabilities=False)
        figures = self._figures(preds.detach().double() - label)
        self.add(figures, weights)

    @abstractmethod
    def _figures(self, errors: Tensor) -> Tensor:
        """Returns what is averaged, not negative, for errors `[B]`: float64 `[B]`."""

    def _compute(self) -> Tensor:
        return super()._compute().masked_fill(self.invalid[LABELS] > 0, float("nan"))
