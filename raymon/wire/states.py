"""States of metrics that are not integers, on the wire: sums of reals, minima and maxima.

Sums of reals are quantised here, once, as they leave the worker, so that adding them is exact in
any order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from raymon.protos.report_pb2 import MetricState, TensorState
from raymon.wire.fixed_point import FRACTION_BITS, LARGEST, units
from raymon.wire.layout import is_count

_UNIT_BYTES = 16


@dataclass(frozen=True)
class State:
    """A state of a metric, ready to be merged.

    Attributes:
        entries: Integers (Python's) in units of 2**-FRACTION_BITS for sums of reals, with NaN for
            an entry that is not finite; float64 for minima and maxima.
        kind: How two states are merged.
    """

    entries: NDArray[Any]
    kind: TensorState.Kind

    def merge(self, other: State) -> State:
        """Returns the state of both parts together."""
        if self.kind == TensorState.MIN:
            merged = np.minimum(self.entries, other.entries)
        elif self.kind == TensorState.MAX:
            merged = np.maximum(self.entries, other.entries)
        else:
            merged = self.entries + other.entries
        # Merging two arrays of one entry each gives the entry, not an array.
        return State(np.asarray(merged, dtype=self.entries.dtype), self.kind)

    def to_array(self) -> NDArray[np.float64]:
        """Returns the entries as float64."""
        if self.kind != TensorState.REAL:
            return self.entries
        return np.asarray(self.entries / (1 << FRACTION_BITS), dtype=np.float64)


States = dict[str, State]
"""The states of a metric by name."""


def encode_states(
    name: str, states: Mapping[str, torch.Tensor], extremes: Mapping[str, str]
) -> MetricState | None:
    """Returns the message of the states of a metric that are not counts; None if there are none.

    Args:
        name: Name of the metric.
        states: States by name, as CPU tensors.
        extremes: "min" or "max" for each state that is not merged by adding, by name.
    """
    kinds = {"min": TensorState.MIN, "max": TensorState.MAX}
    encoded = [
        _encode(key, _quantised(tensor, kinds.get(extremes.get(key, ""), TensorState.REAL)))
        for key, tensor in states.items()
        if not is_count(key, tensor, extremes)
    ]
    return MetricState(name=name, states=encoded) if encoded else None


def decode_states(messages: Iterable[MetricState]) -> dict[str, States]:
    """Returns the states of messages, by metric and name.

    Raises:
        ValueError: A state has more or fewer entries than its shape.
    """
    return {m.name: {s.name: State(_decode(s), s.kind) for s in m.states} for m in messages}


def merge_into(total: dict[str, States], parts: Mapping[str, States]) -> None:
    """Merges the states of `parts`, by metric, into `total`, which may keep references to them."""
    for metric, states in parts.items():
        merged = total.setdefault(metric, {})
        for name, state in states.items():
            merged[name] = merged[name].merge(state) if name in merged else state


def encode_merged(states: Mapping[str, States]) -> list[MetricState]:
    """Returns the messages of states that are merged already."""
    return [
        MetricState(name=metric, states=[_encode(*item) for item in of_metric.items()])
        for metric, of_metric in states.items()
    ]


def _quantised(tensor: torch.Tensor, kind: TensorState.Kind) -> State:
    array = tensor.double().numpy()
    if kind != TensorState.REAL:
        return State(array, kind)
    entries = np.empty(array.size, dtype=object)
    entries[:] = [
        units(entry) if abs(entry) <= LARGEST else math.nan for entry in array.reshape(-1).tolist()
    ]
    return State(entries.reshape(array.shape), kind)


def _encode(name: str, state: State) -> TensorState:
    message = TensorState(name=name, shape=state.entries.shape, kind=state.kind)
    flat = state.entries.reshape(-1).tolist()
    if state.kind != TensorState.REAL:
        message.extreme.extend(flat)
        return message
    beyond = [isinstance(e, float) or abs(e) >= 1 << (8 * _UNIT_BYTES - 1) for e in flat]
    message.non_finite.extend(i for i, is_beyond in enumerate(beyond) if is_beyond)
    message.units = b"".join(
        (0 if is_beyond else e).to_bytes(_UNIT_BYTES, "little", signed=True)
        for e, is_beyond in zip(flat, beyond, strict=True)
    )
    return message


def _decode(message: TensorState) -> NDArray[Any]:
    shape = tuple(message.shape)
    if message.kind != TensorState.REAL:
        return np.array(message.extreme, dtype=np.float64).reshape(shape)
    raw = message.units
    entries = np.empty(len(raw) // _UNIT_BYTES, dtype=object)
    entries[:] = [
        int.from_bytes(raw[i : i + _UNIT_BYTES], "little", signed=True)
        for i in range(0, len(entries) * _UNIT_BYTES, _UNIT_BYTES)
    ]
    if any(position >= len(entries) for position in message.non_finite):
        raise ValueError(f"state {message.name}: an entry beyond its {len(entries)}")
    entries[list(message.non_finite)] = math.nan
    return entries.reshape(shape)
