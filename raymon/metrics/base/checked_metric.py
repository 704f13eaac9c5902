"""What raymon's metrics share: input that breaks their contract is counted, never raised."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.base.hidden_states import hidden_states
from raymon.metrics.base.sliced_weights import is_nothing

NAN_SCORES, SCORES_OUTSIDE, LABELS, WEIGHTS = range(4)
"""Positions in the state `invalid`."""


class CheckedMetric(Metric):
    """Base of raymon's metrics.

    State `invalid`, int64 `[4]`: how many scores were NaN, scores outside [0, 1] where
    probabilities are due, labels and weights not what they must be. The counts are added up on
    the device, so that no update waits, and are read where a value is.

    After a score of NaN or a bad weight the value is NaN. Scores outside [0, 1] and bad labels
    count as the docstring of the metric says.

    Args:
        kwargs: what every torchmetrics metric takes.
    """

    full_state_update = False
    rows_are_independent = True
    """Whether one update with the rows of several gives the same states."""
    invalid_label = "labels other than 0 and 1"
    """What the labels in `invalid` are called."""
    missing: tuple[str, ...] = ("there are no rows that weigh anything",)
    """Why there can be no value; what comes first is told."""

    invalid: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("invalid", torch.zeros(4, dtype=torch.int64), dist_reduce_fx="sum")
        self.found_invalid: Tensor | None = None
        self.error_bound: Tensor | None = None
        self.found_missing: Tensor | None = None
        self._is_nan: Tensor | None = None

    def set_dtype(self, dst_type: Any) -> CheckedMetric:
        """Nothing: the types of the states are what makes them exact."""
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any, **kwargs: Any) -> Any:
        # A module that holds a metric may change its type; the metric goes to its device alone.
        def move(state: Tensor) -> Tensor:
            if state.numel() and is_nothing(state):
                # One number that stands for many stays that.
                return move(state[(0,) * state.dim()]).expand(state.shape)
            moved = fn(state)
            return moved if moved.dtype == state.dtype else state.to(moved.device)

        return super()._apply(move, *args, **kwargs)

    def reset(self) -> None:
        """Start anew, as `torchmetrics.Metric.reset`."""
        nothing = {name: state for name, state in self._defaults.items() if _is_nothing(state)}
        # torchmetrics would make zeros of them that take memory.
        with hidden_states(self, nothing):
            super().reset()
        for name, default in nothing.items():
            setattr(self, name, default)
        self.found_invalid = self.error_bound = self.found_missing = self._is_nan = None

    def compute(self) -> Tensor:
        """The value: float64 scalar.

        Over all ranks, where torchmetrics synchronises. Afterwards `found_invalid` has the counts
        of `invalid` over the same ranks, `error_bound`, float64 scalar, says how far the value can
        be from the exact one, where it is not exact, and `why_no_value` why it is NaN.
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
        """What was counted beside the value computed last, by name. Waits for the device."""
        return {}

    def why_no_value(self) -> str | None:
        """Why the value that was computed last is NaN; None where it is not, or nobody knows.

        Waits for the device.
        """
        if self.found_missing is None or self._is_nan is None or not bool(self._is_nan):
            return None
        found = self.found_missing.tolist()
        missing = [why for why, is_so in zip(self.missing, found, strict=True) if is_so]
        errors = self.input_errors()
        wrong = ", ".join(f"{count:,} {what}" for what, count in errors.items())
        # Labels that are wrong count as something in many metrics.
        if errors and (not missing or errors.keys() - {self.invalid_label}):
            return f"its input has {wrong}"
        return missing[0] if missing else None

    def input_errors(self, counts: Tensor | None = None) -> dict[str, int]:
        """What was wrong with the input, by name; only what was found. Waits for the device.

        Args:
            counts: a state `invalid`; None for that of the value computed last.
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
            if _is_nothing(getattr(self, name)) and _is_nothing(incoming_state.get(name))
        ]
        with hidden_states(self, both):
            super()._reduce_states(incoming_state)

    @abstractmethod
    def _compute(self) -> Tensor:
        """The value of the states: float64 scalar."""

    def _bound(self) -> Tensor | None:
        """How far the value of the states can be from the exact one; None where it is exact."""
        return None

    def _missing(self) -> Tensor:
        """Which of `missing` are so: bool `[len(missing)]`."""
        return torch.zeros(len(self.missing), dtype=torch.bool)

    def _found(self) -> Tensor:
        """The counts of bad input in the states: int64 `[4]`."""
        return self.invalid


def _is_nothing(state: object) -> bool:
    return isinstance(state, Tensor) and is_nothing(state)


def check_rows(metric: str, **columns: Tensor | None) -> None:
    """UserError unless all columns are `[B]` with the same B.

    Shapes are known on the host, so this waits for no device.
    """
    shapes = {name: list(column.shape) for name, column in columns.items() if column is not None}
    first = next(iter(shapes.values()))
    if len(first) != 1 or any(shape != first for shape in shapes.values()):
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise UserError(f"{metric}: {listed}; all must have one dimension and the same length")
