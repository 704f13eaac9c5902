"""The decayed value of one metric, fold by fold."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.auc_area import area, area_error_bound
from raymon.metrics.decay_auc import DecayAUC
from raymon.metrics.decay_law import decay_histogram, decay_value
from raymon.metrics.states import compute_states


class DecayedMetric:
    """The decayed value of one metric over folds, each the merged states of `decay_step` steps.

    A DecayAUC decays its histogram, any other metric its value. It never waits for a device
    except where a Python number is asked for.

    Args:
        metric: a prototype; it is not changed.
        decay_rate: weight of the past at a fold.

    Raises:
        UserError: `decay_rate` outside [0, 1].
    """

    def __init__(self, metric: Metric, decay_rate: float) -> None:
        if not 0 <= decay_rate <= 1:
            raise UserError(f"decay_rate is {decay_rate}; it must be in [0, 1]")
        self.metric = metric
        self.decay_rate = decay_rate
        # The decayed histogram [2, bins] of a DecayAUC, the decayed value [] of any other.
        self._decayed: Tensor | None = None

    def fold(self, states: dict[str, Tensor]) -> None:
        """Fold the states of one fold in.

        Args:
            states: window states by name, such as `{"histogram": int64 [2, bins]}`.
        """
        if isinstance(self.metric, DecayAUC):
            new = states["histogram"]
            past = torch.zeros_like(new).double() if self._decayed is None else self._decayed
            self._decayed = decay_histogram(past.to(new.device), new, self.decay_rate)
        else:
            value = compute_states(self.metric, states)
            past_value = None if self._decayed is None else self._decayed.to(value.device)
            self._decayed = decay_value(past_value, value, self.decay_rate)

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

    @property
    def error_bound(self) -> float | None:
        """How far the value of a DecayAUC can be from the exact one; None for other metrics."""
        if self._decayed is None or not isinstance(self.metric, DecayAUC):
            return None
        return area_error_bound(self._decayed).item()

    def state_dict(self) -> dict[str, Tensor]:
        """What it takes to go on: float64 on the CPU; nothing before the first fold."""
        return {} if self._decayed is None else {"decayed": self._decayed.cpu().clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state_dict` gave."""
        self._decayed = state["decayed"].clone() if state else None
