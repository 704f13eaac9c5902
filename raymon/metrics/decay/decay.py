"""The decayed value of one metric, fold by fold."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.base.weight_tables import joined_slices
from raymon.metrics.decay.decay_auc import DecayAUC, mark_invalid
from raymon.metrics.decay.decay_law import decay_histogram, decay_value
from raymon.metrics.decay.states import compute_states, unknown_reason
from raymon.metrics.numerics.auc_area import area, area_error_bound


class DecayedMetric:
    """The decayed value of one metric over folds, each the merged states of `decay_step` steps.

    A DecayAUC decays its histogram, any other metric its value. It never waits for a device except
    where it returns a Python number.

    Args:
        metric: Prototype of the metric; it is not changed.
        decay_rate: Weight of the past at a fold.

    Raises:
        UserError: `decay_rate` is outside [0, 1].
    """

    def __init__(self, metric: Metric, decay_rate: float) -> None:
        if not 0 <= decay_rate <= 1:
            raise UserError(f"decay_rate is {decay_rate}; it must be in [0, 1]")
        self.metric = metric
        self.decay_rate = decay_rate
        # The decayed histogram [2, bins] of a DecayAUC, the decayed value [] of any other.
        self._decayed: Tensor | None = None
        # The decayed error bound [] of a value that has one.
        self._bound: Tensor | None = None
        self._why: Callable[[], str | None] = unknown_reason

    def fold(self, states: dict[str, Tensor]) -> None:
        """Folds the states of the last `decay_step` steps into the value.

        Args:
            states: Window states by name, such as `{"histogram": int64 [2, bins], ...}`.
        """
        if isinstance(self.metric, DecayAUC):
            table = joined_slices(states["histogram"], states["histogram_slices"])
            new = mark_invalid(table, states["invalid"])
            if self._decayed is None:
                self._decayed = new.double()
            else:
                past = self._decayed.to(new.device)
                self._decayed = decay_histogram(past, new, self.decay_rate)
        else:
            computed = compute_states(self.metric, states)
            self._decayed = self._decay(self._decayed, computed.value, computed.undefined)
            if computed.error_bound is not None:
                # A mean of values is off by at most the mean of their bounds.
                bound = computed.error_bound
                self._bound = self._decay(self._bound, bound, computed.undefined)
            self._why = computed.why

    @property
    def tensor(self) -> Tensor | None:
        """The decayed value, float64 scalar on the device of the states; None before a fold."""
        if self._decayed is not None and isinstance(self.metric, DecayAUC):
            return area(self._decayed, by_thresholds=self.metric.thresholds is not None)
        return self._decayed

    @property
    def value(self) -> float | None:
        """The decayed value; None before the first fold."""
        tensor = self.tensor
        return None if tensor is None else tensor.item()

    def why_no_value(self) -> str | None:
        """Returns why the value is NaN; None if it is not, or if unknown. Waits for the device."""
        tensor = self.tensor
        if tensor is None or not bool(tensor.isnan()):
            return None
        if self._decayed is None or not isinstance(self.metric, DecayAUC):
            return self._why()
        weights = self._decayed[:, :-1].sum(1).tolist()
        if all(weights) or bool((self._decayed[:, -1] > 0).any()):
            return "its input has NaN scores or bad weights"
        return self.metric.missing[0 if not any(weights) else 1 if weights[0] else 2]

    @property
    def error_bound(self) -> float | None:
        """How far the value can be from the exact one; None if it is exact."""
        if self._decayed is not None and isinstance(self.metric, DecayAUC):
            by_thresholds = self.metric.thresholds is not None
            return area_error_bound(self._decayed, by_thresholds=by_thresholds).item()
        return None if self._bound is None else self._bound.item()

    def state_dict(self) -> dict[str, Tensor]:
        """Returns the state to continue from, float64 on the CPU; empty before the first fold."""
        parts = {"decayed": self._decayed, "bound": self._bound}
        return {name: part.cpu().clone() for name, part in parts.items() if part is not None}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continues from what `state_dict` returned."""
        self._decayed = state["decayed"].clone() if "decayed" in state else None
        self._bound = state["bound"].clone() if "bound" in state else None

    def _decay(self, past: Tensor | None, new: Tensor, undefined: Tensor | None) -> Tensor:
        past = None if past is None else past.to(new.device)
        return decay_value(past, new, self.decay_rate, undefined)
