"""A metric of the training that is decayed while the training runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import CheckedMetric
from raymon.metrics.base.rows_or_bins import RowsOrBins
from raymon.metrics.decay.decay import DecayedMetric
from raymon.metrics.decay.states import state_reductions, take_window_states
from raymon.metrics.decay.waiting_updates import (
    LeftOutError,
    Update,
    WaitingUpdates,
    copies_if_unchanged,
)


def _always() -> bool:
    return True


class TrainMetricWrapper(nn.Module):
    """A metric over the steps of a training, in which older steps count less.

    Used alone, it folds every `decay_step` updates. Once it is handed over to a monitor, updates
    only wait: the monitor adds them up, takes the states of each window, and sets the value to the
    one of all ranks. It never exchanges anything with other ranks.

    Args:
        metric: Metric to measure; its histogram is decayed if it is a DecayAUC, else its value.
        decay_rate: Weight of the past at a fold, in [0, 1].
        decay_step: Updates between two folds.

    Raises:
        UserError: `decay_rate` is outside [0, 1], `decay_step` is below 1, or the states of the
            metric grow with the rows or cannot be merged over windows.
    """

    metric: Metric
    extremes: dict[str, str]
    """The states that are merged by "min" or "max" instead of by adding."""

    def __init__(self, metric: Metric, decay_rate: float = 0.9, decay_step: int = 100) -> None:
        super().__init__()
        if decay_step < 1:
            raise UserError(f"decay_step is {decay_step}; it must be at least 1")
        if isinstance(metric, RowsOrBins):
            metric = metric.binned()
        reductions = state_reductions(metric)
        growing = [name for name, reduction in reductions.items() if reduction == "cat"]
        if growing:
            raise UserError(
                f"{type(metric).__name__}: state {growing[0]!r} grows with the rows, so it is a "
                "metric for evaluation, not for training"
            )
        self.extremes = {name: kind for name, kind in reductions.items() if kind != "sum"}
        self.metric = metric
        self.decay_rate = decay_rate
        self.decay_step = decay_step
        self._decayed = DecayedMetric(metric, decay_rate)
        self._updates = 0
        self._handed_over = False
        self._published: float | None = None
        # Another library's metric may depend on how rows are split into batches.
        self._joins = isinstance(metric, CheckedMetric) and metric.rows_are_independent
        self._waiting = WaitingUpdates(self._joins)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Adds a step; the arguments are those of the metric's own `update`.

        Once handed over, they wait until the monitor takes them: small batches on the CPU are
        copied, other tensors are kept and must not be written to any more. Updates whose tensors
        were written to are left out, and the monitor counts and reports them.
        """
        if self._handed_over:
            self._waiting.add(args, kwargs)
            return
        self._update_metric(args, kwargs)
        self._updates += 1
        if self._updates == self.decay_step:
            self._decayed.fold(take_window_states(self.metric))
            self._updates = 0

    def compute(self) -> Tensor:
        """Returns the decayed value, float64 scalar.

        It is 0.0 before the first fold or published value.
        """
        value = self._decayed.tensor if self._published is None else self._published
        return torch.as_tensor(0.0 if value is None else value, dtype=torch.float64)

    def hand_over(self) -> None:
        """Hands folding over to a monitor.

        What was added since the last fold is in the first window of the monitor.
        """
        self._handed_over = True

    @property
    def waiting_rows(self) -> int:
        """The number of rows of the updates that wait."""
        return self._waiting.rows

    @property
    def given(self) -> int:
        """The number of updates that were given since it was handed over."""
        return self._waiting.given

    def take_waiting(self) -> list[Update]:
        """Returns the updates that wait, and forgets them."""
        return self._waiting.take()

    def add(self, updates: list[Update], wanted: Callable[[], bool] = _always) -> None:
        """Adds updates that waited, joined if the metric takes the rows of several at once.

        It may be called by another thread than `update`, but always by the same one.

        Args:
            updates: The updates, as `take_waiting` returned them.
            wanted: Called before each update; if it returns False, this and the rest are left out.

        Raises:
            LeftOutError: Tensors of some were written to while they waited. The others are added.
        """
        # Copies of a buffer are joined already.
        copied = [update for update in updates if update.buffer is not None]
        kept = [update for update in updates if update.buffer is None]
        copies, changed = copies_if_unchanged(kept, joined=self._joins)
        for update in (*copied, *copies):
            if not wanted():
                return
            self._update_metric(update.args, update.kwargs)
            self._waiting.release(update)
        if changed:
            raise LeftOutError(
                f"{type(self.metric).__name__}: tensors were written to after they were given, so "
                "these updates are left out; give a clone of what is used again"
            )

    def take_window(self) -> dict[str, Tensor]:
        """Returns the states since the last window, by name, and resets the metric.

        Updates that wait are added first. It is for the thread that calls `add`.
        """
        self.add(self.take_waiting())
        return take_window_states(self.metric)

    def publish(self, value: float) -> None:
        """Sets what `compute` returns: the value over all ranks."""
        self._published = value

    @torch.no_grad()
    def _update_metric(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        # The method of the class, without torchmetrics' wrapper, which counts calls and clears
        # caches that nothing here reads.
        type(self.metric).update(self.metric, *args, **kwargs)
