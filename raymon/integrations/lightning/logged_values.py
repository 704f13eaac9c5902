"""The values that a `LightningModule` logs by `self.log`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor


class LoggedValues:
    """Tells the values that were logged since the last look from those that were there before.

    Nothing is computed or waited for: in a step Lightning has the values of all that is logged
    `on_step`.

    Args:
        trainer: The `Trainer`.
    """

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self._seen: dict[str, Tensor] = {}
        self._of_metrics: dict[str, bool] = {}

    def skip(self) -> None:
        """Leaves out what was logged until now."""
        self._seen = dict(self._trainer.callback_metrics)

    def new(self) -> dict[str, Tensor]:
        """Returns what was logged since the last call, by name."""
        now: Mapping[str, Tensor] = self._trainer.callback_metrics
        before, self._seen = self._seen, dict(now)
        # What is logged anew lies in another place than what is still held.
        return {
            name: value
            for name, value in now.items()
            if name not in before or value.data_ptr() != before[name].data_ptr()
        }

    def new_of_step(self) -> dict[str, Tensor]:
        """Returns what was logged in a step, by name.

        Metrics that were logged as objects are left out: the mean of their values by batch would
        not be their value. So is the second name, `NAME_step`, of what is logged on epochs as well.
        """
        new = self.new()
        return {
            name: value
            for name, value in new.items()
            if not (self._is_of_metric(name) or _is_second_name(name, value, new))
        }

    def _is_of_metric(self, name: str) -> bool:
        if name not in self._of_metrics:
            results = getattr(self._trainer, "_results", None) or {}
            self._of_metrics[name] = any(
                not result.is_tensor and result.meta.name == name for result in results.values()
            )
        return self._of_metrics[name]


def _is_second_name(name: str, value: Tensor, values: Mapping[str, Tensor]) -> bool:
    first = values.get(name.removesuffix("_step"), value)
    return first is not value and first.data_ptr() == value.data_ptr()
