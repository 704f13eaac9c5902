"""Metric states on the wire.

Integer states travel as they are, without the low zero bits that all entries share; states of
reals are quantised here, once, as they leave the worker. Histograms are mostly zeros, so a state
travels sparse where that is shorter.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from raymon.monitor.fixed_point import FRACTION_BITS, fraction_bits
from raymon.protos.report_pb2 import MetricState, TensorState

IntegerStates = dict[str, NDArray[np.int64]]
"""The states of a metric by name. States of reals are in units of 2**-FRACTION_BITS and may be
arrays of Python integers, which do not overflow."""


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
            tensors[name] = torch.from_numpy(np.ascontiguousarray(value))
    return tensors


def add_states(total: IntegerStates, part: IntegerStates) -> None:
    """Adds `part` to `total`, which it may change and keep parts of."""
    for name, value in part.items():
        if name in total:
            total[name] = total[name] + value
        else:
            total[name] = value


def encode_integers(name: str, states: IntegerStates, reals: frozenset[str]) -> MetricState:
    """The same message for states that are merged already; no sum may exceed 64 bits."""
    encoded = []
    for key, value in states.items():
        if key in reals:
            flat = [int(entry) for entry in value.reshape(-1)]
            bits = max((abs(entry).bit_length() for entry in flat), default=0)
            drop = max(0, bits - 62)
            message = TensorState(
                name=key,
                shape=value.shape,
                value=[entry >> drop for entry in flat],
                shift=drop - FRACTION_BITS,
                is_real=True,
            )
        else:
            message = _encode_int(key, value)
        encoded.append(message)
    return MetricState(name=name, states=encoded)


def _encode(name: str, state: torch.Tensor) -> TensorState:
    if state.is_floating_point():
        return _encode_real(name, state.double().numpy())
    return _encode_int(name, state.long().numpy())


def _encode_real(name: str, array: NDArray[np.float64]) -> TensorState:
    bits = fraction_bits(float(np.abs(array).max(initial=0.0)))
    quantised = np.rint(np.ldexp(array, bits)).astype(np.int64)
    return TensorState(
        name=name,
        shape=array.shape,
        value=quantised.reshape(-1).tolist(),
        shift=-bits,
        is_real=True,
    )


def _encode_int(name: str, array: NDArray[np.int64]) -> TensorState:
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


def _decode(message: TensorState) -> NDArray[np.int64]:
    entries = np.array(message.value, dtype=np.int64)
    size = int(np.prod(message.shape, dtype=np.int64))
    if message.is_real:
        lift = message.shift + FRACTION_BITS
        exact = [int(e) << lift if lift >= 0 else int(e) >> -lift for e in entries.tolist()]
        return np.array(exact, dtype=object).reshape(tuple(message.shape))
    entries = entries << message.shift
    if message.sparse:
        flat = np.zeros(size, dtype=np.int64)
        flat[np.cumsum(np.array(message.index_delta, dtype=np.int64))] = entries
    else:
        flat = entries
    return flat.reshape(tuple(message.shape))


def _common_zero_bits(entries: NDArray[np.int64]) -> int:
    together = int(np.bitwise_or.reduce(entries)) if len(entries) else 0
    return (together & -together).bit_length() - 1 if together else 0
