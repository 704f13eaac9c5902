"""The decayed train metrics of the cluster: merged windows, folded in order."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics import Metric

from raymon.code_location import describe
from raymon.metrics import CheckedMetric, DecayedMetric, TrainMetricWrapper, window_states
from raymon.protos.report_pb2 import DecayState, PlainTensor, ReporterState
from raymon.reporter.windows.window_sum import WindowSum
from raymon.results import InputErrors
from raymon.wire import (
    Layout,
    MetricFailure,
    States,
    add_counts,
    decode_counts,
    decode_states,
    encode_counts,
    encode_merged,
    merge_into,
)


class DecayedMetrics:
    """The decayed metrics over windows in order.

    Fold k of a metric covers the steps [k * decay_step, (k + 1) * decay_step). If a metric failed
    in some of them, there is no such fold, and no value until the next one.

    Args:
        metrics: Train metrics of a worker by name, as prototypes.
    """

    def __init__(self, metrics: Mapping[str, TrainMetricWrapper]) -> None:
        self._layout = Layout.of_metrics(metrics)
        self._decay_steps = {name: metric.decay_step for name, metric in metrics.items()}
        self._decayed = {
            name: DecayedMetric(metric.metric, metric.decay_rate)
            for name, metric in metrics.items()
        }
        # By metric; a metric is missing if it has had no window since its last fold.
        self._open_counts: dict[str, dict[str, NDArray[np.int64]]] = {}
        self._open_others: dict[str, States] = {}
        self._values: dict[str, float] | None = None
        self._folded: Counter[str] = Counter()
        # Why values are not current, by metric, and the metrics whose next fold is left out.
        self._failures: dict[str, MetricFailure] = {}
        self._misses_steps: set[str] = set()

    def add(self, window: WindowSum) -> dict[str, Exception]:
        """Adds a merged window, and folds the metrics whose fold ends with it.

        Returns:
            The errors of metrics that raised, by name; their states since the last fold are
            discarded.
        """
        failures: dict[str, Exception] = {}
        if window.end_step == window.first_step:
            # An empty window adds nothing, and its step may have been folded with the one before.
            return failures
        counts = window.layout.split(window.counts)
        for name in self._decayed:
            try:
                if name in window.metric_failures:
                    self._fail(name, window.metric_failures[name])
                if name not in self._misses_steps:
                    self._add_to(name, counts.get(name), window.others.get(name))
                if window.end_step % self._decay_steps[name] == 0:
                    self._end_fold(name)
            except Exception as error:  # a metric that fails costs only itself
                failures[name] = error
                self._fail(name, MetricFailure(-1, f"it cannot be folded: {describe(error)}"))
                if window.end_step % self._decay_steps[name] == 0:
                    self._misses_steps.discard(name)
        return failures

    def copy(self) -> DecayedMetrics:
        """Returns a copy, to which incomplete windows can be added."""
        twin = copy.copy(self)
        twin._decayed = copy.deepcopy(self._decayed)
        # Shallow: the arrays are replaced, never added to in place.
        twin._open_counts = {name: dict(states) for name, states in self._open_counts.items()}
        twin._open_others = {name: dict(states) for name, states in self._open_others.items()}
        twin._values = None
        twin._folded = Counter(self._folded)
        twin._failures = dict(self._failures)
        twin._misses_steps = set(self._misses_steps)
        return twin

    def values(self) -> dict[str, float]:
        """Returns the decayed values by name, of the metrics that were folded at least once.

        Those that failed since their last fold are NaN.
        """
        if self._values is None:
            values = {
                name: math.nan if name in self._failures else decayed.value
                for name, decayed in self._decayed.items()
            }
            self._values = {name: value for name, value in values.items() if value is not None}
        return self._values

    def bounds(self) -> dict[str, float]:
        """Returns the bound of each value that is not exact, by name."""
        bounds = {
            name: decayed.error_bound
            for name, decayed in self._decayed.items()
            if name not in self._failures
        }
        return {name: bound for name, bound in bounds.items() if bound is not None}

    @property
    def metrics(self) -> dict[str, Metric]:
        """The prototypes of the metrics, by name."""
        return {name: decayed.metric for name, decayed in self._decayed.items()}

    def first_window_weights(self) -> dict[str, float]:
        """Returns the weight of the first fold in each decayed value, in (0, 1], by name."""
        return {
            name: self._decayed[name].decay_rate ** (folds - 1)
            for name, folds in self._folded.items()
            if folds > 0
        }

    def no_value(self) -> dict[str, str]:
        """Returns the reasons why values are NaN, by name, if they are known."""
        reasons = {
            name: self._decayed[name].why_no_value()
            for name, value in self.values().items()
            if math.isnan(value) and name not in self._failures
        }
        failed = {name: self._why_failed(name) for name in self._failures}
        return {name: why for name, why in reasons.items() if why} | failed

    def input_errors(self, invalid: Mapping[str, NDArray[np.int64]]) -> InputErrors:
        """Returns what was wrong with the input of metrics.

        Args:
            invalid: Counts of the state `invalid`, int64 `[4]`, by metric.
        """
        errors = {}
        for name, counts in invalid.items():
            metric = self._decayed[name].metric if name in self._decayed else None
            if isinstance(metric, CheckedMetric):
                errors[name] = metric.input_errors(torch.from_numpy(counts))
        return {name: found for name, found in errors.items() if found}

    def save(self, state: ReporterState) -> None:
        """Writes what `restore` reads into a state."""
        state.metrics.extend(
            DecayState(
                name=name,
                decay=[_plain(key, value) for key, value in decayed.state_dict().items()],
                folds=self._folded[name],
                failure=self._failures[name].to_message(name) if name in self._failures else None,
                misses_steps=name in self._misses_steps,
            )
            for name, decayed in self._decayed.items()
        )
        state.layout.CopyFrom(self._layout.to_message())
        state.open_counts.extend(encode_counts(self._layout, self._layout.join(self._open_counts)))
        state.open_metrics.extend(encode_merged(self._open_others))

    def restore(self, state: ReporterState) -> list[str]:
        """Restores what `save` wrote; metrics that are not in it begin without a past.

        Returns:
            The names of the metrics whose states have another shape; these begin without a past
            too.
        """
        layout = Layout.from_message(state.layout)
        counts = layout.empty()
        add_counts(decode_counts(state.open_counts, layout.size), counts)
        open_counts, open_others = layout.split(counts), decode_states(state.open_metrics)
        changed = []
        for saved in state.metrics:
            if saved.name not in self._decayed:
                continue
            decayed = {tensor.name: _tensor(tensor) for tensor in saved.decay}
            arrays = open_counts.get(saved.name, {}).values()
            shapes = [tuple(tensor.shape) for tensor in decayed.values()]
            shapes += [array.shape for array in arrays]
            if not self._fits(saved.name, shapes):
                changed.append(saved.name)
                continue
            self._decayed[saved.name].load_state_dict(decayed)
            self._folded[saved.name] = saved.folds
            if saved.HasField("failure"):
                self._failures[saved.name] = MetricFailure.from_message(saved.failure)
            if saved.misses_steps:
                self._misses_steps.add(saved.name)
            self._add_to(saved.name, open_counts.get(saved.name), open_others.get(saved.name))
        return changed

    def _add_to(
        self, name: str, counts: Mapping[str, NDArray[np.int64]] | None, others: States | None
    ) -> None:
        if counts is not None and any(array.any() for array in counts.values()):
            total = self._open_counts.setdefault(name, {})
            for state, array in counts.items():
                if state in total and not array.any():
                    continue
                total[state] = total[state] + array if state in total else array.copy()
        if others:
            merge_into(self._open_others, {name: others})

    def _fail(self, name: str, failure: MetricFailure) -> None:
        """Leaves out the fold that goes on, and hides the value until the one after it."""
        self._failures[name] = failure
        self._misses_steps.add(name)
        self._forget(name)

    def _why_failed(self, name: str) -> str:
        steps = self._decay_steps[name]
        return f"{self._failures[name]}; it has one again after {steps} whole steps without that"

    def _end_fold(self, name: str) -> None:
        if name in self._misses_steps:
            self._misses_steps.remove(name)
            return
        self._fold(name)
        self._failures.pop(name, None)

    def _fold(self, name: str) -> None:
        states: dict[str, NDArray[Any]] = {
            slot.state: np.broadcast_to(np.int64(0), slot.shape)
            for slot in self._layout.slots
            if slot.metric == name
        }
        # Tables of counts are mostly empty, and an empty one need not be copied.
        open_counts = self._open_counts.get(name, {})
        states.update({key: array for key, array in open_counts.items() if array.any()})
        others = self._open_others.get(name, {})
        states.update({key: state.to_array() for key, state in others.items()})
        self._decayed[name].fold({key: _as_tensor(array) for key, array in states.items()})
        self._folded[name] += 1
        self._forget(name)

    def _forget(self, name: str) -> None:
        self._open_counts.pop(name, None)
        self._open_others.pop(name, None)
        self._values = None

    def _fits(self, name: str, shapes: Iterable[tuple[int, ...]]) -> bool:
        metric = self._decayed[name].metric
        known = {tuple(state.shape) for state in window_states(metric).values()} | {()}
        return all(shape in known for shape in shapes)


def _as_tensor(array: NDArray[Any]) -> torch.Tensor:
    if array.ndim and not any(array.strides):
        return torch.zeros((), dtype=torch.int64, device="cpu").expand(array.shape)
    return torch.from_numpy(np.array(array, order="C"))


def _plain(name: str, tensor: torch.Tensor) -> PlainTensor:
    is_real = tensor.is_floating_point()
    kind = "<f8" if is_real else "<i8"
    return PlainTensor(
        name=name,
        shape=tensor.shape,
        is_real=is_real,
        data=tensor.numpy().astype(kind).tobytes(),
    )


def _tensor(message: PlainTensor) -> torch.Tensor:
    kind = "<f8" if message.is_real else "<i8"
    array = np.frombuffer(message.data, dtype=kind).reshape(tuple(message.shape))
    return torch.from_numpy(array.copy())
