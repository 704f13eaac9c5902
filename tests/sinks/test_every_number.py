"""Every number of a snapshot reaches every sink under its one name, or is left out on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.protos.report_pb2 import Histogram
from raymon.results import Anatomy, Coverage, DeviceNumbers, RankNumbers, Snapshot, TableHealth
from raymon.sinks.curves import training_curves
from raymon.sinks.opentelemetry.run_points import RunPoints
from raymon.sinks.opentelemetry.run_trace import RunTrace
from raymon.sinks.opentelemetry.trace_file import OpenSession, TraceState
from raymon.sinks.prometheus.series import of_snapshot
from raymon.sinks.terminal.log_fields import progress_fields
from raymon.storage import to_json
from tests.sinks.snapshots import snapshot

OTHER: dict[str, Any] = {
    "first_step": 5,
    "end_step": 30,
    "epoch": 1,
    "samples": 2001,
    "samples_total": 5000,
    "seconds": 0.75,
    "losses": {"binary_cross_entropy": 0.25},
    "non_finite": {"binary_cross_entropy": 3},
    "metrics": {"auc": 0.5},
    "metric_bounds": {"auc": 0.125},
    "learning_rates": (0.5,),
    "gradient_norms": {"global_gradient_norm": 2.0},
    "coverage": Coverage(1, 3, 5.0, (1, 2)),
    "phases": {"forward": 0.25},
    "histograms": (Histogram(name="weight", edges=[0, 1], counts=[2]),),
    "input_errors": {"auc": {"NaN scores": 37}},
    "host_bytes": 1 << 30,
    "device": DeviceNumbers(1, 2, 3, 50, 1),
    "window_metrics": {"auc": 0.25},
    "first_window_weights": {"auc": 0.5},
    "no_value": {"auc": "there is one class alone"},
    "tables": {"items": TableHealth(10, 5.0, 3.0)},
    "skipped_steps": 4,
    "loss_scale": 8.0,
    "dense_gradient_norm": 3.0,
    "rank_numbers": RankNumbers(("data",), (0,), np.ones((1, 1), np.float32)),
    "anatomy": Anatomy({"data": 1.0}, {"data": 0.5}, 1, {"data": 0.5}),
    "time": 1e9,
    "first_non_finite": {"binary_cross_entropy": (3, 1)},
    "stalled_s": 34.0,
    "scalars": {"temperature": 0.5},
    "non_finite_scalars": {"temperature": 2},
}
"""Another value of each field than that of the snapshot of tests."""

_NOT_SHOWN = {"rank_numbers", "stalled_s"}
"""Of single ranks, which `monitor/ranks.jsonl` has, and of this moment, which health has."""

_DETAILS = {
    "metric_bounds", "window_metrics", "first_window_weights", "no_value", "input_errors",
    "dense_gradient_norm", "first_non_finite", "non_finite_scalars", "phases",
}  # fmt: skip
"""What says how far a number can be trusted, or comes in another form: in files, not on curves."""

LEFT_OUT = {
    "JSON lines": {"histograms", *_NOT_SHOWN},
    # Of many parameters and of many tables a line would be long.
    "log lines": {
        "gradient_norms", "tables", "first_window_weights", "histograms", "rank_numbers",
    },
    "TensorBoard and trackers": {
        "epoch", "samples_total", "non_finite", "coverage", "histograms", "time",
        *_NOT_SHOWN, *(_DETAILS - {"phases"}), "phases", "first_step",
    },
    # Names of parameters would be series without number.
    "Prometheus": {
        "gradient_norms", "histograms", "time", "coverage", *_NOT_SHOWN, *_DETAILS,
    },
    "OpenTelemetry": {"gradient_norms", "histograms", *_NOT_SHOWN, *_DETAILS},
    "spans of windows": {
        "samples_total", "non_finite", "learning_rates", "gradient_norms", "histograms",
        "host_bytes", "device", "tables", "skipped_steps", "loss_scale",
        *_NOT_SHOWN, *(_DETAILS - {"phases"}),
    },
}  # fmt: skip
"""Fields of a snapshot that a sink does not have."""


def _span(shown: Snapshot) -> Any:
    trace = RunTrace(TraceState("ab" * 16), OpenSession("cd" * 8, 0.0), 1, lambda: 7.0)
    (span,) = trace.window(shown)
    return span


SINKS: dict[str, Callable[[Snapshot], Any]] = {
    "JSON lines": lambda shown: to_json(shown.to_json()),
    "log lines": lambda shown: to_json(progress_fields(shown)),
    "TensorBoard and trackers": lambda shown: (shown.end_step, list(training_curves(shown))),
    "Prometheus": lambda shown: list(of_snapshot(shown)),
    "OpenTelemetry": lambda shown: RunPoints(None, 0.0).snapshot(shown, 7.0),
    "spans of windows": _span,
}


def test_each_field_of_a_snapshot_is_looked_at() -> None:
    assert OTHER.keys() == {field.name for field in fields(Snapshot)}


@pytest.mark.parametrize("sink", SINKS)
def test_each_field_of_a_snapshot_reaches_a_sink_or_is_left_out_on_purpose(sink: str) -> None:
    shown = SINKS[sink]
    before = snapshot(20)
    reached = {
        name
        for name, other in OTHER.items()
        if shown(replace(before, **{name: other})) != shown(before)
    }
    assert sorted(OTHER.keys() - reached) == sorted(LEFT_OUT[sink])


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
by_name = st.dictionaries(st.sampled_from(["a", "b_c", "total_loss"]), numbers, max_size=3)


@settings(max_examples=25)
@given(
    losses=by_name,
    metrics=by_name,
    scalars=by_name,
    rates=st.lists(numbers, max_size=3),
    samples=st.integers(0, 1 << 60),
    seconds=st.floats(1e-9, 1e9),
)
def test_a_number_is_the_same_to_the_last_bit_in_each_sink(
    losses: dict[str, float],
    metrics: dict[str, float],
    scalars: dict[str, float],
    rates: list[float],
    samples: int,
    seconds: float,
) -> None:
    shown = snapshot(
        20,
        losses=losses,
        metrics=metrics,
        scalars=scalars,
        learning_rates=rates,
        samples=samples,
        seconds=seconds,
        time=5.0,
    )
    line = json.loads(to_json(shown.to_json()))
    curves = dict(training_curves(shown))
    gauges = {(name, *dict(labels).values()): value for (name, labels), value in of_snapshot(shown)}
    points = {
        (point.series[0], *dict(point.series[1]).values()): point.value
        for point in RunPoints(None, 0.0).snapshot(shown, 7.0)
    }
    expected = {
        **{("raymon_loss", name): loss for name, loss in line["losses"].items()},
        **{("raymon_metric", name): value for name, value in line["metrics"].items()},
        **{("raymon_scalar", name): value for name, value in line["scalars"].items()},
        **{
            ("raymon_learning_rate", f"g{i}"): rate for i, rate in enumerate(line["learning_rates"])
        },
        ("raymon_samples_per_second",): line["samples_per_second"],
        ("raymon_samples_total",): line["samples_total"],
    }
    tags = {"raymon_loss": "loss", "raymon_metric": "metric", "raymon_scalar": "scalar"}
    for (name, *labels), value in expected.items():
        if value is None:  # a sum of losses that is beyond all numbers
            assert (name, *labels) not in points
            continue
        assert gauges[(name, *labels)] == points[(name, *labels)] == value
        if name in tags:
            label = "total" if (name, *labels) == ("raymon_loss", "total_loss") else labels[0]
            assert curves[f"{tags[name]}/{label}"] == value
    assert curves["throughput/samples_per_second"] == line["samples_per_second"]
