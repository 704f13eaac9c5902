"""The base of raymon's metrics: input that breaks their contract is counted, never raised."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.base.hide_states import hide_states
from raymon.metrics.base.weight_tables import is_zero_placeholder

NAN_SCORES, SCORES_OUTSIDE, LABELS, WEIGHTS = range(4)
"""Positions in the state `invalid`."""


class CheckedMetric(Metric):
    """Base of raymon's metrics.

    State `invalid`, int64 `[4]`: the numbers of scores that were NaN, of scores outside [0, 1]
    where probabilities are due, of wrong labels and of wrong weights. The counts are added up on
    the device, so that no update waits, and are read together with the value.

    After a score of NaN or a wrong weight the value is NaN. Scores outside [0, 1] and wrong labels
    count as the docstring of the metric says.

    Args:
        kwargs: Arguments of every torchmetrics metric.
    """

    full_state_update = False
    rows_are_independent = True
    """Whether one update with the rows of several gives the same states."""
    invalid_label = "labels other than 0 and 1"
    """The name of the labels in `invalid`, for messages."""
    missing: tuple[str, ...] = ("there are no rows that weigh anything",)
    """The possible reasons why there is no value; the first one that holds is given."""

    invalid: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("invalid", torch.zeros(4, dtype=torch.int64), dist_reduce_fx="sum")
        self.found_invalid: Tensor | None = None
        self.error_bound: Tensor | None = None
        self.found_missing: Tensor | None = None
        self._is_nan: Tensor | None = None

    def set_dtype(self, dst_type: Any) -> CheckedMetric:
        """Does nothing: the states are exact only in their types."""
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any, **kwargs: Any) -> Any:
        # A module that holds a metric may be cast to another dtype: only the device is followed.
        def move(state: Tensor) -> Tensor:
            if state.numel() and is_zero_placeholder(state):
                # A placeholder is one number that is expanded; it must not become many.
                return move(state[(0,) * state.dim()]).expand(state.shape)
            moved = fn(state)
            return moved if moved.dtype == state.dtype else state.to(moved.device)

        return super()._apply(move, *args, **kwargs)

    def reset(self) -> None:
        """Resets all states, as `torchmetrics.Metric.reset` does."""
        placeholders = {
            name: state for name, state in self._defaults.items() if _is_zero_placeholder(state)
        }
        # torchmetrics would replace placeholders by zeros that take memory.
        with hide_states(self, placeholders):
            super().reset()
        for name, default in placeholders.items():
            setattr(self, name, default)
        self.found_invalid = self.error_bound = self.found_missing = self._is_nan = None

    def compute(self) -> Tensor:
        """Returns the value, float64 scalar, over all ranks if torchmetrics synchronises.

        Afterwards `found_invalid` holds the counts of `invalid` over the same ranks, `error_bound`,
        float64 scalar, how far the value can be from the exact one, or None if it is exact, and
        `why_no_value` returns why it is NaN.
        """
        value = self._compute()
        self.error_bound = self._bound()
        self.found_invalid = self._found()
        self.found_missing = self._missing()
        undefined = (self.found_invalid[NAN_SCORES] + self.found_invalid[WEIGHTS]) > 0
        value = value.masked_fill(undefined, float("nan"))
        self._is_nan = value.isnan()
        if self.error_bound is not None:
            self.error_bound = self.error_bound.masked_fill(self._is_nan, float("nan"))
        return value

    def details(self) -> dict[str, float]:
        """Returns what was counted with the value computed last, by name. Waits for the device."""
        return {}

    def why_no_value(self) -> str | None:
        """Returns why the value that was computed last is NaN; None if it is not, or if unknown.

        Waits for the device.
        """
        if self.found_missing is None or self._is_nan is None or not bool(self._is_nan):
            return None
        found = self.found_missing.tolist()
        missing = [why for why, is_so in zip(self.missing, found, strict=True) if is_so]
        errors = self.input_errors()
        wrong = ", ".join(f"{count:,} {what}" for what, count in errors.items())
        # In many metrics wrong labels count as right ones.
        if errors and (not missing or errors.keys() - {self.invalid_label}):
            return f"its input has {wrong}"
        return missing[0] if missing else None

    def input_errors(self, counts: Tensor | None = None) -> dict[str, int]:
        """Returns what was wrong with the input, by name, if anything was. Waits for the device.

        Args:
            counts: A state `invalid`; None for that of the value computed last.
        """
        counts = self.found_invalid if counts is None else counts
        if counts is None:
            return {}
        names = (
            "NaN scores",
            "scores outside [0, 1]",
            self.invalid_label,
            "weights that are negative, not finite, too small or too large",
        )
        return {name: n for name, n in zip(names, counts.tolist(), strict=True) if n}

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        both = [
            name
            for name in self._defaults
            if _is_zero_placeholder(getattr(self, name))
            and _is_zero_placeholder(incoming_state.get(name))
        ]
        with hide_states(self, both):
            super()._reduce_states(incoming_state)

    @abstractmethod
    def _compute(self) -> Tensor:
        """Returns the value of the states: float64 scalar."""

    def _bound(self) -> Tensor | None:
        """Returns how far the value can be from the exact one; None if it is exact."""
        return None

    def _missing(self) -> Tensor:
        """Returns which of `missing` hold: bool `[len(missing)]`."""
        return torch.zeros(len(self.missing), dtype=torch.bool)

    def _found(self) -> Tensor:
        """Returns the counts of bad input in the states: int64 `[4]`."""
        return self.invalid


def _is_zero_placeholder(state: object) -> bool:
    return isinstance(state, Tensor) and is_zero_placeholder(state)


def check_rows(metric: str, **columns: Tensor | None) -> None:
    """Checks that all columns are `[B]` with the same B.

    Shapes are known on the host, so this waits for no device.

    Args:
        metric: Name of the metric, for messages.
        **columns: Columns by name; None is left out.

    Raises:
        UserError: A column has another shape.
    """
    shapes = {name: list(column.shape) for name, column in columns.items() if column is not None}
    first = next(iter(shapes.values()))
    if len(first) != 1 or any(shape != first for shape in shapes.values()):
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise UserError(f"{metric}: {listed}; all must have one dimension and the same length")
