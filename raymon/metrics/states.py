"""The states of a metric outside of it: taken for a window, merged over ranks, computed."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat, dim_zero_max, dim_zero_min, dim_zero_sum

from raymon.errors import UserError
from raymon.metrics.decay_auc import DecayAUC


def window_states(metric: Metric) -> dict[str, Tensor]:
    """The states of a metric that travel with a window, by name.

    Of a DecayAUC only the buffer: what is folded in stays. Rows kept as a list of tensors become
    one tensor.
    """
    names = ("histogram",) if isinstance(metric, DecayAUC) else tuple(metric.metric_state)
    return {name: _as_tensor(getattr(metric, name)) for name in names}


def take_window_states(metric: Metric) -> dict[str, Tensor]:
    """Hand over the states of a window, and leave the metric as new in their place.

    The tensors are the metric's own, not copies; nothing waits for their device.
    """
    states = window_states(metric)
    for name in states:
        default = metric._defaults[name]
        setattr(metric, name, default.clone() if isinstance(default, Tensor) else [])
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
        UserError: a state is reduced by something else than sum, min, max or cat.
    """
    parts = list(parts)
    if not parts:
        return {name: _as_tensor(metric._defaults[name]) for name in window_states(metric)}
    return {name: _merge(metric, name, [part[name] for part in parts]) for name in parts[0]}


def compute_states(metric: Metric, states: dict[str, Tensor]) -> Tensor:
    """The value of a metric for given states.

    Args:
        metric: a prototype; it is not changed, and nothing is exchanged with other ranks.
        states: all its states by name.

    Returns:
        The value, on the device of the states.
    """
    copy = deepcopy(metric)
    for name, state in states.items():
        is_list = isinstance(copy._defaults[name], list)
        setattr(copy, name, [state] if is_list else state)
    # The method of the class is the bare one: that of the object would synchronise over ranks.
    value: Tensor = type(copy).compute(copy)
    return value


def _merge(metric: Metric, name: str, states: list[Tensor]) -> Tensor:
    """One state of several parts, merged."""
    reduction = metric._reductions[name]
    if reduction is dim_zero_cat:
        rows = [state for state in states if state.numel()]
        return torch.cat(rows) if rows else states[0]
    stacked = torch.stack(states)
    if reduction is dim_zero_sum:
        if stacked.is_floating_point():
            # Sums of reals depend on the order; sorted, every order is the same.
            stacked = stacked.sort(0).values
        return stacked.sum(0)
    if reduction is dim_zero_max:
        return stacked.amax(0)
    if reduction is dim_zero_min:
        return stacked.amin(0)
    raise UserError(
        f"{type(metric).__name__}: state {name!r} cannot be merged over workers; "
        "its dist_reduce_fx must be sum, min, max or cat"
    )


def _as_tensor(state: Tensor | list[Tensor]) -> Tensor:
    """A state as one tensor; rows that are not there yet are an empty one."""
    if isinstance(state, Tensor):
        return state
    return torch.cat(state) if state else torch.empty(0)
