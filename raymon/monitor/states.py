"""Metric states on the wire.

Integer states travel as they are, without the low zero bits that all entries share; states of
reals are quantised here, once, as they leave the worker. Histograms are mostly zeros, so a state
travels sparse where that is shorter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from raymon.monitor.fixed_point import FRACTION_BITS, fraction_bits
from raymon.protos.report_pb2 import MetricState, TensorState

IntegerState = NDArray[Any]
"""A state as int64, or, where it holds reals, as Python integers in units of 2**-FRACTION_BITS.
Those do not overflow, and one that is not finite is NaN."""

IntegerStates = dict[str, IntegerState]
"""The states of a metric by name."""


def encode_states(name: str, states: Mapping[str, torch.Tensor]) -> MetricState:
    """The states of metric `name`, which are CPU tensors of integers or finite reals."""
    return MetricState(name=name, states=[_encode(key, value) for key, value in states.items()])


def decode_states(message: MetricState) -> tuple[IntegerStates, frozenset[str]]:
    """The states of a message, and the names of those that hold reals."""
    states = {state.name: _decode(state) for state in message.states}
    return states, frozenset(state.name for state in message.states if state.is_real)


def to_tensors(states: IntegerStates, reals: frozenset[str]) -> dict[str, torch.Tensor]:
    """What a metric computes from: int64 tensors, and float64 ones for the states of reals."""
    tensors = {}
    for name, value in states.items():
        if name in reals:
            scaled = np.asarray(value / (1 << FRACTION_BITS), dtype=np.float64)
            tensors[name] = torch.from_numpy(scaled)
        else:
            tensors[name] = torch.from_numpy(np.asarray(value, order="C"))
    return tensors


def add_states(total: IntegerStates, part: IntegerStates) -> None:
    """Adds `part` to `total`, which it may change and keep parts of."""
    for name, value in part.items():
        if name in total:
            # Adding two arrays of one object each gives the object, not an array.
            total[name] = np.asarray(total[name] + value, dtype=value.dtype)
        else:
            total[name] = value


def encode_integers(name: str, states: IntegerStates, reals: frozenset[str]) -> MetricState:
    """The same message for states that are merged already; no sum may exceed 64 bits."""
    encoded = []
    for key, value in states.items():
        encoded.append(_encode_units(key, value) if key in reals else _encode_int(key, value))
    return MetricState(name=name, states=encoded)


def _encode(name: str, state: torch.Tensor) -> TensorState:
    if state.is_floating_point():
        return _encode_real(name, state.double().numpy())
    return _encode_int(name, state.long().numpy())


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
        is_real=True,
        non_finite=np.flatnonzero(~finite).tolist(),
    )


def _encode_units(name: str, array: IntegerState) -> TensorState:
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
        is_real=True,
        non_finite=lost,
    )


def _encode_int(name: str, array: IntegerState) -> TensorState:
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


def _decode(message: TensorState) -> IntegerState:
    entries = np.array(message.value, dtype=np.int64)
    size = int(np.prod(message.shape, dtype=np.int64))
    if message.is_real:
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


def _common_zero_bits(entries: IntegerState) -> int:
    together = int(np.bitwise_or.reduce(entries)) if len(entries) else 0
    return (together & -together).bit_length() - 1 if together else 0
