"""Metric states on the wire.

Integer states travel as they are, without the low zero bits that all entries share; states of
reals are quantised here, once, as they leave the worker. Histograms are mostly zeros, so a state
travels sparse where that is shorter. Minima and maxima travel as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from raymon.monitor.fixed_point import FRACTION_BITS, fraction_bits
from raymon.protos.report_pb2 import MetricState, TensorState


@dataclass(frozen=True)
class State:
    """A state of a metric, ready to be merged.

    Attributes:
        entries: int64 for counts; for reals Python integers in units of 2**-FRACTION_BITS, which do
            not overflow, and NaN for one that is not finite; float64 for minima and maxima.
        kind: how parts of it are merged.
    """

    entries: NDArray[Any]
    kind: TensorState.Kind

    def merge(self, other: State) -> State:
        """The state of both parts."""
        if self.kind == TensorState.MIN:
            merged = np.minimum(self.entries, other.entries)
        elif self.kind == TensorState.MAX:
            merged = np.maximum(self.entries, other.entries)
        else:
            merged = self.entries + other.entries
        # Merging two arrays of one entry each gives the entry, not an array.
        return State(np.asarray(merged, dtype=self.entries.dtype), self.kind)


States = dict[str, State]
"""The states of a metric by name."""


def encode_states(
    name: str, states: Mapping[str, torch.Tensor], extremes: Mapping[str, str] | None = None
) -> MetricState:
    """The message of the states of a metric, as they leave a worker.

    Args:
        name: of the metric.
        states: by name, CPU tensors of integers or reals.
        extremes: by name, "min" or "max" for those that are not merged by adding.
    """
    kinds = {
        key: TensorState.MIN if kind == "min" else TensorState.MAX
        for key, kind in (extremes or {}).items()
    }
    return MetricState(
        name=name,
        states=[_encode(key, value, kinds.get(key)) for key, value in states.items()],
    )


def decode_states(message: MetricState) -> States:
    """The states of a message."""
    return {state.name: State(_decode(state), state.kind) for state in message.states}


def to_tensors(states: States) -> dict[str, torch.Tensor]:
    """What a metric computes from: int64 tensors of counts, float64 tensors of all others."""
    tensors = {}
    for name, state in states.items():
        entries = state.entries
        if state.kind == TensorState.REAL:
            entries = np.asarray(entries / (1 << FRACTION_BITS), dtype=np.float64)
        tensors[name] = torch.from_numpy(np.asarray(entries, order="C"))
    return tensors


def merge_into(total: States, part: States) -> None:
    """Merges `part` into `total`, which it may keep parts of."""
    for name, state in part.items():
        total[name] = total[name].merge(state) if name in total else state


def encode_merged(name: str, states: States) -> MetricState:
    """The message of states that are merged already; no sum of counts may exceed 64 bits."""
    return MetricState(name=name, states=[_encode_merged(*item) for item in states.items()])


def _encode(name: str, state: torch.Tensor, extreme: TensorState.Kind | None) -> TensorState:
    if extreme is not None:
        return _encode_extreme(name, state.double().numpy(), extreme)
    if state.is_floating_point():
        return _encode_real(name, state.double().numpy())
    return _encode_int(name, state.long().numpy())


def _encode_merged(name: str, state: State) -> TensorState:
    if state.kind == TensorState.REAL:
        return _encode_units(name, state.entries)
    if state.kind == TensorState.COUNT:
        return _encode_int(name, state.entries)
    return _encode_extreme(name, state.entries, state.kind)


def _encode_extreme(name: str, array: NDArray[np.float64], kind: TensorState.Kind) -> TensorState:
    flat = array.reshape(-1).tolist()
    return TensorState(name=name, shape=array.shape, kind=kind, extreme=flat)


def _encode_real(name: str, array: NDArray[np.float64]) -> TensorState:
    finite = np.isfinite(array)
    array = np.where(finite, array, 0.0)
    bits = fraction_bits(float(np.abs(array).max(initial=0.0)))
    quantised = np.rint(np.ldexp(array, bits)).astype(np.int64)
    return TensorState(
        name=name,
        shape=array.shape,
        value=quantised.reshape(-1).tolist(),
        shift=-bits,
        kind=TensorState.REAL,
        non_finite=np.flatnonzero(~finite).tolist(),
    )


def _encode_units(name: str, array: NDArray[Any]) -> TensorState:
    flat = array.reshape(-1).tolist()
    lost = [position for position, entry in enumerate(flat) if isinstance(entry, float)]
    units = [0 if isinstance(entry, float) else entry for entry in flat]
    # A sum of many ranks may need more than 64 bits; then its lowest ones go.
    drop = max(0, max((abs(entry).bit_length() for entry in units), default=0) - 62)
    return TensorState(
        name=name,
        shape=array.shape,
        value=[entry >> drop for entry in units],
        shift=drop - FRACTION_BITS,
        kind=TensorState.REAL,
        non_finite=lost,
    )


def _encode_int(name: str, array: NDArray[Any]) -> TensorState:
    flat = np.ascontiguousarray(array).reshape(-1)
    positions = np.flatnonzero(flat)
    sparse = 2 * len(positions) < len(flat)
    entries = flat[positions] if sparse else flat
    shift = _common_zero_bits(entries)
    message = TensorState(name=name, shape=array.shape, sparse=sparse, shift=shift)
    if sparse:
        message.index_delta.extend(np.diff(positions, prepend=0).tolist())
    message.value.extend((entries >> shift).tolist())
    return message


def _decode(message: TensorState) -> NDArray[Any]:
    if message.kind in (TensorState.MIN, TensorState.MAX):
        return np.array(message.extreme, dtype=np.float64).reshape(tuple(message.shape))
    entries = np.array(message.value, dtype=np.int64)
    size = int(np.prod(message.shape, dtype=np.int64))
    if message.kind == TensorState.REAL:
        lift = message.shift + FRACTION_BITS
        units = np.empty(size, dtype=object)
        units[:] = [e << lift if lift >= 0 else e >> -lift for e in entries.tolist()]
        units[list(message.non_finite)] = math.nan
        return units.reshape(tuple(message.shape))
    entries = entries << message.shift
    if message.sparse:
        flat = np.zeros(size, dtype=np.int64)
        flat[np.cumsum(np.array(message.index_delta, dtype=np.int64))] = entries
    else:
        flat = entries
    return flat.reshape(tuple(message.shape))


def _common_zero_bits(entries: NDArray[Any]) -> int:
    together = int(np.bitwise_or.reduce(entries)) if len(entries) else 0
    return (together & -together).bit_length() - 1 if together else 0
