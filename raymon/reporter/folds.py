"""The train metrics of the cluster: merged windows, folded and decayed."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from raymon.metrics import CheckedMetric, DecayedMetric, TrainMetricWrapper, window_states
from raymon.monitor.states import States, decode_states, encode_merged, merge_into, to_tensors
from raymon.protos.report_pb2 import DecayState, PlainTensor
from raymon.reporter.window_sum import WindowSum
from raymon.sinks import InputErrors


class Folds:
    """Decayed metrics over windows in order; fold k covers [k * decay_step, (k + 1) * decay_step).

    Args:
        metrics: The train metrics of a worker by name, as prototypes.
    """

    def __init__(self, metrics: Mapping[str, TrainMetricWrapper]) -> None:
        self._decay_steps = {name: metric.decay_step for name, metric in metrics.items()}
        self._decayed = {
            name: DecayedMetric(metric.metric, metric.decay_rate)
            for name, metric in metrics.items()
        }
        self._open: dict[str, States] = {name: {} for name in metrics}

    def add(self, window: WindowSum) -> dict[str, Exception]:
        """Adds a merged window, and folds the metrics whose fold ends with it.

        Returns:
            By name, what went wrong with a metric; what was open of it is lost then.
        """
        failures: dict[str, Exception] = {}
        for name in self._decayed:
            try:
                self._add_to(name, window)
            except Exception as error:  # a metric that fails costs only itself
                failures[name] = error
                self._open[name] = {}
        return failures

    def _add_to(self, name: str, window: WindowSum) -> None:
        if window.end_step == window.first_step:
            # It follows one that ended there, and with it maybe a fold.
            return
        if name in window.metrics:
            merge_into(self._open[name], window.metrics[name])
        if window.end_step % self._decay_steps[name] == 0 and self._open[name]:
            self._decayed[name].fold(to_tensors(self._open[name]))
            self._open[name] = {}

    def copy(self) -> Folds:
        """A copy that can go on with windows that are not complete yet."""
        twin = Folds({})
        twin._decay_steps = self._decay_steps
        twin._decayed = copy.deepcopy(self._decayed)
        twin._open = {name: dict(states) for name, states in self._open.items()}
        return twin

    def values(self) -> dict[str, float]:
        """The decayed values by name, of the metrics that were folded at least once."""
        return {
            name: decayed.value
            for name, decayed in self._decayed.items()
            if decayed.value is not None
        }

    def bounds(self) -> dict[str, float]:
        """By how much a value can be wrong, by name, where it can."""
        return {
            name: decayed.error_bound
            for name, decayed in self._decayed.items()
            if decayed.error_bound is not None
        }

    def input_errors(self, invalid: Mapping[str, NDArray[np.int64]]) -> InputErrors:
        """What was wrong with the input of metrics, of their counts of it by name."""
        errors = {}
        for name, counts in invalid.items():
            metric = self._decayed[name].metric if name in self._decayed else None
            if isinstance(metric, CheckedMetric):
                errors[name] = metric.input_errors(torch.from_numpy(counts))
        return {name: found for name, found in errors.items() if found}

    def save(self) -> list[DecayState]:
        """Everything that is needed to go on."""
        return [
            DecayState(
                name=name,
                decay=[_plain(key, value) for key, value in decayed.state_dict().items()],
                open=encode_merged(name, self._open[name]),
            )
            for name, decayed in self._decayed.items()
        ]

    def restore(self, saved: list[DecayState]) -> list[str]:
        """Goes on from what `save` gave; metrics that are not in it begin anew.

        Returns:
            The names of those whose states have another shape; they begin anew too.
        """
        changed = []
        for state in saved:
            if state.name not in self._decayed:
                continue
            decayed = {tensor.name: _tensor(tensor) for tensor in state.decay}
            opened = decode_states(state.open)
            if self._fits(state.name, [*decayed.values(), *to_tensors(opened).values()]):
                self._decayed[state.name].load_state_dict(decayed)
                self._open[state.name] = opened
            else:
                changed.append(state.name)
        return changed

    def _fits(self, name: str, saved: list[torch.Tensor]) -> bool:
        metric = self._decayed[name].metric
        shapes = {state.shape for state in window_states(metric).values()} | {torch.Size([])}
        return all(tensor.shape in shapes for tensor in saved)


def _plain(name: str, tensor: torch.Tensor) -> PlainTensor:
    flat = tensor.reshape(-1).tolist()
    is_real = tensor.is_floating_point()
    return PlainTensor(
        name=name,
        shape=tensor.shape,
        is_real=is_real,
        real_value=flat if is_real else (),
        int_value=() if is_real else flat,
    )


def _tensor(message: PlainTensor) -> torch.Tensor:
    if message.is_real:
        flat = torch.tensor(list(message.real_value), dtype=torch.float64)
    else:
        flat = torch.tensor(list(message.int_value), dtype=torch.int64)
    return flat.reshape(tuple(message.shape))
