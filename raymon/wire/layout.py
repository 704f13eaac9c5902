"""The integer states of all train metrics as one vector of counts.

One vector for all of them is added in one operation; a loop over metrics and states would cost a
reporter of thousands of ranks most of its time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from raymon.metrics import TrainMetricWrapper, window_states
from raymon.protos.report_pb2 import Layout as LayoutMessage
from raymon.protos.report_pb2 import StateSpec

Counts = NDArray[np.int64]
Key = tuple[str, str]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Slot:
    """The place of a state in the vector: entries [begin, end), which have its shape."""

    metric: str
    state: str
    shape: Shape
    begin: int

    @property
    def end(self) -> int:
        """The index of the first entry after the state."""
        return self.begin + math.prod(self.shape)


class Layout:
    """The place of each integer state in the vector of counts, and which other states there are.

    Args:
        shapes: Shape of each integer state, by metric and state, in their order.
        others: Shape of each state that is not of integers, by metric and state.

    Attributes:
        slots: Places of the integer states, in order.
        size: Number of entries of the vector.
    """

    def __init__(
        self, shapes: Mapping[Key, Shape], others: Mapping[Key, Shape] | None = None
    ) -> None:
        slots, begin = [], 0
        for (metric, state), shape in shapes.items():
            slots.append(Slot(metric, state, shape, begin))
            begin = slots[-1].end
        self.slots = tuple(slots)
        self.others = dict(others or {})
        self.size = begin

    @classmethod
    def of_metrics(cls, metrics: Mapping[str, TrainMetricWrapper]) -> Layout:
        """Returns the layout of train metrics, given by name."""
        counts: dict[Key, Shape] = {}
        others: dict[Key, Shape] = {}
        for name, wrapper in metrics.items():
            for state, tensor in window_states(wrapper.metric).items():
                kind = counts if is_count(state, tensor, wrapper.extremes) else others
                kind[name, state] = tuple(tensor.shape)
        return cls(counts, others)

    @classmethod
    def from_message(cls, message: LayoutMessage) -> Layout:
        """Returns the layout that `to_message` wrote."""
        counts, others = (
            {(spec.metric, spec.state): tuple(spec.shape) for spec in specs}
            for specs in (message.states, message.others)
        )
        return cls(counts, others)

    def to_message(self) -> LayoutMessage:
        """Returns the message that `from_message` reads."""
        return LayoutMessage(
            states=[StateSpec(metric=s.metric, state=s.state, shape=s.shape) for s in self.slots],
            others=[
                StateSpec(metric=metric, state=state, shape=shape)
                for (metric, state), shape in self.others.items()
            ],
        )

    @cached_property
    def fingerprint(self) -> int:
        """A number that is the same only for equal layouts."""
        text = self.to_message().SerializeToString(deterministic=True)
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "little")

    def empty(self) -> Counts:
        """Returns a vector of zeros, int64 `[size]`."""
        return np.zeros(self.size, dtype=np.int64)

    def split(self, counts: Counts) -> dict[str, dict[str, Counts]]:
        """Returns the states of a vector by metric and name, as views."""
        parts: dict[str, dict[str, Counts]] = {}
        for slot in self.slots:
            view = counts[slot.begin : slot.end].reshape(slot.shape)
            parts.setdefault(slot.metric, {})[slot.state] = view
        return parts

    def join(self, states: Mapping[str, Mapping[str, Any]]) -> Counts:
        """Returns the vector of states by metric and name; states that are not given are zero.

        Raises:
            ValueError: A state has another shape, or is of reals.
        """
        counts = self.empty()
        for slot in self.slots:
            if slot.metric in states and slot.state in states[slot.metric]:
                state = np.asarray(states[slot.metric][slot.state])
                if _is_nothing(state) and state.shape == slot.shape:
                    continue
                _check_count(slot, state)
                counts[slot.begin : slot.end] = state.reshape(-1)
        return counts

    def check(self, metric: str, states: Mapping[str, Tensor]) -> None:
        """Checks that the states of a metric fit into the layout, by name, as CPU tensors.

        Raises:
            ValueError: A state has another shape, or another kind of numbers.
        """
        for slot in self.slots:
            if slot.metric == metric and slot.state in states:
                _check_count(slot, np.asarray(states[slot.state]))
        for (of_metric, state), shape in self.others.items():
            if of_metric == metric and state in states:
                _check_shape(metric, state, tuple(states[state].shape), shape)

    def check_other(self, metric: str, state: str, shape: Shape) -> None:
        """Checks that the layout has a state that is not of integers, and its shape.

        Raises:
            ValueError: There is none, or it has another shape.
        """
        if (metric, state) not in self.others:
            raise ValueError(f"state {state} of metric {metric} is not known")
        _check_shape(metric, state, shape, self.others[metric, state])


def is_count(state: str, tensor: Tensor, extremes: Mapping[str, str]) -> bool:
    """Returns whether a state is merged by adding integers."""
    return state not in extremes and not tensor.is_floating_point()


def _is_nothing(state: NDArray[Any]) -> bool:
    """Returns whether a state stands for zeros without taking memory for them."""
    return state.ndim > 0 and not any(state.strides) and not state.flat[0]


def _check_count(slot: Slot, state: NDArray[Any]) -> None:
    if state.dtype.kind not in "iub":
        raise ValueError(f"state {slot.state} of metric {slot.metric} became {state.dtype}")
    _check_shape(slot.metric, slot.state, state.shape, slot.shape)


def _check_shape(metric: str, state: str, shape: Shape, expected: Shape) -> None:
    if shape != expected:
        raise ValueError(
            f"state {state} of metric {metric} has shape {list(shape)}, not {list(expected)}"
        )
