"""The states of a metric outside of it: taken for a window, merged over ranks, computed."""

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
from raymon.metrics.base.sliced_weights import is_nothing
from raymon.metrics.decay.decay_auc import DecayAUC


def window_states(metric: Metric) -> dict[str, Tensor]:
    """The states of a metric that travel with a window, by name.

    Of a DecayAUC only the buffer: what is folded in stays. Rows kept as a list of tensors become
    one tensor.
    """
    names = [name for name in metric.metric_state if not _stays(metric, name)]
    return {name: _as_tensor(getattr(metric, name)) for name in names}


def take_window_states(metric: Metric) -> dict[str, Tensor]:
    """Hand over the states of a window, and leave the metric as new in their place.

    The tensors are the metric's own, not copies; nothing waits for their device.
    """
    states = window_states(metric)
    for name in states:
        default = metric._defaults[name]
        setattr(metric, name, _as_new(default))
    metric._computed = None
    return states


def merge_states(metric: Metric, parts: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The states of all parts together, by the metric's own reductions.

    Args:
        metric: the metric that the states are of; it is not changed.
        parts: window states, of several ranks or windows; their order does not change a sum.

    Returns:
        One state for each name; those of a new metric where there is no part.

    Raises:
        UserError: as for `state_reductions`.
    """
    parts = list(parts)
    if not parts:
        return {name: _as_tensor(metric._defaults[name]) for name in window_states(metric)}
    reductions = state_reductions(metric)
    return {name: _merge(reductions[name], [part[name] for part in parts]) for name in parts[0]}


def state_reductions(metric: Metric) -> dict[str, str]:
    """How parts of the states of a window are merged, by name: sum, min, max or cat.

    Raises:
        UserError: a state is reduced by something else, so that windows cannot be merged.
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


def nobody_knows() -> None:
    """Why a metric that is not raymon's own has no value."""


@dataclass(frozen=True)
class Computed:
    """What a metric says of given states.

    Attributes:
        value: float scalar.
        error_bound: float64 scalar, how far the value can be from the exact one; None where it
            is exact, or nothing is known.
        undefined: bool scalar, whether the value is NaN because the samples have none, as without a
            positive; None where nothing is known.
        why: gives why the value is NaN, as `CheckedMetric.why_no_value`.
    """

    value: Tensor
    error_bound: Tensor | None = None
    undefined: Tensor | None = None
    why: Callable[[], str | None] = nobody_knows


def compute_states(metric: Metric, states: dict[str, Tensor]) -> Computed:
    """The value of a metric for given states, on their device.

    Args:
        metric: a prototype; it is not changed, and nothing is exchanged with other ranks.
        states: all its states by name.
    """
    copy = deepcopy(metric)
    for name, state in states.items():
        is_list = isinstance(copy._defaults[name], list)
        setattr(copy, name, [state] if is_list else state)
    # The method of the class is the bare one: that of the object would synchronise over ranks.
    value: Tensor = type(copy).compute(copy)
    if not isinstance(copy, CheckedMetric):
        return Computed(value)
    missing = copy.found_missing
    assert missing is not None
    return Computed(value, copy.error_bound, value.isnan() & missing.any(), copy.why_no_value)


def _as_new(default: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
    if not isinstance(default, Tensor):
        return []
    # What stands for zeros alone is replaced, never added to.
    return default if is_nothing(default) else default.clone()


def _stays(metric: Metric, name: str) -> bool:
    return isinstance(metric, DecayAUC) and name in ("decayed", "folds")


def _merge(reduction: str, states: list[Tensor]) -> Tensor:
    """One state of several parts, merged."""
    if reduction == "cat":
        rows = [state for state in states if state.numel()]
        return torch.cat(rows) if rows else states[0]
    stacked = torch.stack(states)
    if reduction == "min":
        return stacked.amin(0)
    if reduction == "max":
        return stacked.amax(0)
    if stacked.is_floating_point():
        # Sums of reals depend on the order; sorted, every order is the same.
        stacked = stacked.sort(0).values
    return stacked.sum(0)


def _as_tensor(state: Tensor | list[Tensor]) -> Tensor:
    """A state as one tensor; rows that are not there yet are an empty one."""
    if isinstance(state, Tensor):
        return state
    return torch.cat(state) if state else torch.empty(0, dtype=torch.float32)
