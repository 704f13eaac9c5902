"""The train metrics of some steps alone, without a past."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics import Metric

from raymon.metrics import DecayedMetric
from raymon.protos.report_pb2 import LogIntervalState
from raymon.reporter.windows.window_sum import WindowSum
from raymon.wire import (
    Counts,
    Layout,
    MetricFailure,
    States,
    add_counts,
    decode_counts,
    decode_metric_failures,
    decode_states,
    encode_counts,
    encode_merged,
    encode_metric_failures,
    merge_into,
    merge_metric_failures,
)


@dataclass
class IntervalMetrics:
    """The states of the train metrics, summed over windows that follow each other.

    Attributes:
        layout: Places of the states in `counts`; None before the first window.
        counts: Integer states of all metrics: int64 `[layout.size]`; None before the first window.
        others: Merged states that are not integers, by metric.
        known: False if the metrics changed within these steps, so that there are no values for all
            of the steps.
        failures: Why metrics have no value in these steps, by name.
    """

    layout: Layout | None = None
    counts: Counts | None = None
    others: dict[str, States] = field(default_factory=dict)
    known: bool = True
    failures: dict[str, MetricFailure] = field(default_factory=dict)

    def add(self, window: WindowSum) -> None:
        """Adds the window that follows."""
        merge_metric_failures(self.failures, window.metric_failures)
        if self.layout is None or self.counts is None:
            self.layout, self.counts = window.layout, window.counts.copy()
        elif self.layout.fingerprint == window.layout.fingerprint:
            self.counts += window.counts
        else:
            self.known = False
        if self.known:
            merge_into(self.others, window.others)

    def values(self, metrics: Mapping[str, Metric]) -> dict[str, float]:
        """Returns the values of these steps alone, by name; NaN for metrics that failed in them.

        Args:
            metrics: Train metrics by name, as prototypes.
        """
        if self.layout is None or self.counts is None or not self.known:
            return {}
        found = self.layout.split(self.counts)
        values = {
            name: math.nan if name in self.failures else self._value(metric, name, found)
            for name, metric in metrics.items()
        }
        return {name: value for name, value in values.items() if value is not None}

    def save(self, state: LogIntervalState) -> None:
        """Writes what `restore` reads into a state."""
        state.metric_failures.extend(encode_metric_failures(self.failures))
        if self.layout is not None and self.counts is not None and self.known:
            state.counts.extend(encode_counts(self.layout, self.counts))
            state.metrics.extend(encode_merged(self.others))

    @classmethod
    def restore(cls, state: LogIntervalState, layout: Layout) -> IntervalMetrics:
        """Returns the states that `save` wrote.

        Args:
            state: State that `save` wrote into.
            layout: Places of the states of metrics at that time.
        """
        counts = layout.empty()
        add_counts(decode_counts(state.counts, layout.size), counts)
        failures = decode_metric_failures(state.metric_failures)
        is_there = bool(state.counts or state.metrics or failures or not state.samples)
        return cls(layout, counts, decode_states(state.metrics), is_there, failures)

    def _value(
        self, metric: Metric, name: str, found: Mapping[str, Mapping[str, Counts]]
    ) -> float | None:
        arrays: dict[str, NDArray[Any]] = dict(found.get(name, {}))
        arrays.update({key: each.to_array() for key, each in self.others.get(name, {}).items()})
        alone = DecayedMetric(metric, 0.0)
        try:
            alone.fold({key: torch.from_numpy(np.array(a, order="C")) for key, a in arrays.items()})
            return alone.value
        except Exception:  # the fold fails as well, and warns
            return None
