"""The states of a metric as values: taken for a window, merged over ranks, computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat, dim_zero_max, dim_zero_min, dim_zero_sum

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import CheckedMetric
from raymon.metrics.base.weight_tables import is_zero_placeholder
from raymon.metrics.decay.decay_auc import DecayAUC


def window_states(metric: Metric) -> dict[str, Tensor]:
    """Returns the states of a metric that travel with a window, by name.

    For a DecayAUC that is only the buffer: what was folded in stays. Rows in a list of tensors
    become one tensor.
    """
    names = [name for name in metric.metric_state if not _stays(metric, name)]
    return {name: _as_tensor(getattr(metric, name)) for name in names}


def take_window_states(metric: Metric) -> dict[str, Tensor]:
    """Returns the states of a window, and resets them in the metric.

    The tensors are the metric's own, not copies; nothing waits for their device.
    """
    states = window_states(metric)
    for name in states:
        default = metric._defaults[name]
        setattr(metric, name, _as_new(default))
    metric._computed = None
    return states


def merge_states(metric: Metric, parts: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Returns the states of all parts together, by the metric's own reductions.

    Args:
        metric: Metric that the states belong to; it is not changed.
        parts: Window states, of several ranks or windows; their order does not change a sum.

    Returns:
        One state for each name; those of a new metric if there is no part.

    Raises:
        UserError: A state cannot be merged, as for `state_reductions`.
    """
    parts = list(parts)
    if not parts:
        return {name: _as_tensor(metric._defaults[name]) for name in window_states(metric)}
    reductions = state_reductions(metric)
    return {name: _merge(reductions[name], [part[name] for part in parts]) for name in parts[0]}


def state_reductions(metric: Metric) -> dict[str, str]:
    """Returns how parts of the states of a window are merged, by name: sum, min, max or cat.

    Raises:
        UserError: A state has another reduction, so that windows cannot be merged.
    """
    names = {
        dim_zero_sum: "sum",
        dim_zero_min: "min",
        dim_zero_max: "max",
        dim_zero_cat: "cat",
    }
    reductions = {}
    for state in window_states(metric):
        reduction = metric._reductions[state]
        if reduction not in names:
            raise UserError(
                f"{type(metric).__name__}: state {state!r} cannot be merged over windows; "
                "its dist_reduce_fx must be sum, min, max or cat"
            )
        reductions[state] = names[reduction]
    return reductions


def unknown_reason() -> None:
    """Returns None: it is unknown why a metric that is not raymon's has no value."""


@dataclass(frozen=True)
class Computed:
    """What a metric computes from given states.

    Attributes:
        value: Value, float scalar.
        error_bound: How far the value can be from the exact one, float64 scalar; None if it is
            exact, or nothing is known.
        undefined: Whether the value is NaN because the samples have none, as without a positive,
            bool scalar; None if nothing is known.
        why: Function that returns why the value is NaN, as `CheckedMetric.why_no_value`.
    """

    value: Tensor
    error_bound: Tensor | None = None
    undefined: Tensor | None = None
    why: Callable[[], str | None] = unknown_reason


def compute_states(metric: Metric, states: dict[str, Tensor]) -> Computed:
    """Returns the value of a metric for given states, on their device.

    Args:
        metric: Prototype of the metric; it is not changed, and nothing is exchanged with other
            ranks.
        states: All its states by name.
    """
    copy = deepcopy(metric)
    for name, state in states.items():
        is_list = isinstance(copy._defaults[name], list)
        setattr(copy, name, [state] if is_list else state)
    # The method of the class, without torchmetrics' wrapper, which would synchronise over ranks.
    value: Tensor = type(copy).compute(copy)
    if not isinstance(copy, CheckedMetric):
        return Computed(value)
    missing = copy.found_missing
    assert missing is not None
    return Computed(value, copy.error_bound, value.isnan() & missing.any(), copy.why_no_value)


def _as_new(default: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
    if not isinstance(default, Tensor):
        return []
    # A placeholder of zeros is replaced, never added to.
    return default if is_zero_placeholder(default) else default.clone()


def _stays(metric: Metric, name: str) -> bool:
    return isinstance(metric, DecayAUC) and name in ("decayed", "folds")


def _merge(reduction: str, states: list[Tensor]) -> Tensor:
    """Returns one state of several parts, merged."""
    if reduction == "cat":
        rows = [state for state in states if state.numel()]
        return torch.cat(rows) if rows else states[0]
    stacked = torch.stack(states)
    if reduction == "min":
        return stacked.amin(0)
    if reduction == "max":
        return stacked.amax(0)
    if stacked.is_floating_point():
        # Sums of reals depend on the order, so parts are sorted.
        stacked = stacked.sort(0).values
    return stacked.sum(0)


def _as_tensor(state: Tensor | list[Tensor]) -> Tensor:
    """Returns a state as one tensor, which is empty if there are no rows yet."""
    if isinstance(state, Tensor):
        return state
    return torch.cat(state) if state else torch.empty(0, dtype=torch.float32)
