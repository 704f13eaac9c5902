"""Metrics of a run, by OTLP."""

from __future__ import annotations

import json
import pickle
import threading
from pathlib import Path

import pytest

from raymon.results import (
    Alert,
    AttemptBegan,
    CheckpointSaved,
    DeviceNumbers,
    Finding,
    RunEnded,
    TableHealth,
)
from raymon.sinks import OpenTelemetry, RunGauges, RunSink, WindowLines, run_label
from tests.sinks.evaluations import evaluation
from tests.sinks.opentelemetry.collector import Collector
from tests.sinks.snapshots import snapshot

FULL = {
    "non_finite": {"binary_cross_entropy": 2},
    "host_bytes": 7,
    "device": DeviceNumbers(1, 2, 3, 50, 1),
    "loss_scale": 8.0,
    "tables": {"items": TableHealth(10, 5.0, 3.0)},
}


def test_the_numbers_that_come_are_those_of_the_json_lines_at_their_times(
    collector: Collector, tmp_path: Path
) -> None:
    sink, lines = OpenTelemetry(tmp_path, endpoint=collector.url), WindowLines(tmp_path)
    for number in (1, 2, 3):
        shown = snapshot(10 * number, time=1e9 + number / 8, losses={"bce": 1 / 3 / number})
        sink.write(shown)
        lines.write(shown)
    sink.flush()
    lines.flush()
    records = [json.loads(x) for x in (tmp_path / "monitor/windows.jsonl").read_text().splitlines()]
    times = [int(record["time"] * 8) * 125_000_000 for record in records]
    for name, labels, of in (
        ("raymon_loss", {"loss": "bce"}, lambda record: record["losses"]["bce"]),
        ("raymon_loss", {"loss": "total_loss"}, lambda record: record["losses"]["total_loss"]),
        ("raymon_metric", {"metric": "auc"}, lambda record: record["metrics"]["auc"]),
        ("raymon_step", {}, lambda record: record["global_step"]),
        ("raymon_samples_total", {}, lambda record: record["samples_total"]),
        ("raymon_samples_per_second", {}, lambda record: record["samples_per_second"]),
    ):
        values = list(map(of, records))
        assert collector.points(name, run=run_label(str(tmp_path)), **labels) == list(
            zip(times, values, strict=True)
        )


def test_a_series_has_the_name_and_the_labels_that_it_has_in_prometheus(
    collector: Collector, tmp_path: Path
) -> None:
    sink, gauges = OpenTelemetry(tmp_path, endpoint=collector.url), RunGauges(str(tmp_path))
    for each in (sink, gauges):
        each.write(snapshot(10, time=1.0, **FULL))
        each.write_evaluation(evaluation(10))
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    sink.flush()
    expected = gauges.series()
    for (name, labels), value in expected.items():
        if name != "raymon_run_info":
            assert value in collector.values(name, **dict(labels)), name
    assert collector.names() >= {name for name, _ in expected}


def test_a_number_without_a_value_has_no_point(collector: Collector, tmp_path: Path) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    none = float("nan")
    sink.write(snapshot(10, losses={"bce": none}, metrics={"auc": none, "pr_auc": float("inf")}))
    sink.write_evaluation(evaluation(10, metrics={"auc": none}))
    sink.flush()
    assert collector.values("raymon_step") == [10]
    names = collector.names()
    assert not names & {"raymon_loss", "raymon_metric", "raymon_eval_metric", "raymon_device_bytes"}


def test_samples_are_a_sum_that_a_roll_back_may_lower(collector: Collector, tmp_path: Path) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    sink.write(snapshot(20, time=10.0))
    sink.begin_attempt(AttemptBegan(2, 2, 10))
    sink.write(snapshot(20, time=20.0, samples_total=3500))
    sink.flush()
    assert collector.values("raymon_samples_total") == [4000, 3500]
    (found,) = (
        metric
        for metric in collector.metrics[0].resource_metrics[0].scope_metrics[0].metrics
        if metric.name == "raymon_samples_total"
    )
    assert not found.sum.is_monotonic
    assert found.sum.aggregation_temporality == 2  # cumulative
    assert collector.values("raymon_step") == [0, 20, 10, 20]
    assert collector.values("raymon_attempt") == [1, 2]


def test_events_of_a_run_are_points(collector: Collector, tmp_path: Path) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    sink.write_checkpoint(CheckpointSaved(10, "model.ckpt-10", 5.0, 1.5))
    finding = Finding("straggler", "rank 1 is slow", rank=1)
    sink.write_alert(Alert(finding, 1, 10, 7.0))
    sink.write_alert(Alert(finding, 1, 20, 9.0, is_over=True))
    sink.end_run(RunEnded("done"))
    sink.close()
    assert collector.points("raymon_checkpoint_step") == [(6_500_000_000, 10)]
    alerts = collector.points("raymon_alert", kind="straggler", rank="1")
    assert alerts == [(7_000_000_000, 1), (9_000_000_000, 0)]
    assert collector.values("raymon_up") == [1, 0]
    assert collector.values("raymon_world_size") == [2]


def test_units_are_those_of_the_names(collector: Collector, tmp_path: Path) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    sink.write(snapshot(10, **FULL))
    sink.flush()
    scope = collector.metrics[0].resource_metrics[0].scope_metrics[0]
    units = {metric.name: metric.unit for metric in scope.metrics}
    assert units["raymon_host_bytes"] == "By"
    assert units["raymon_samples_per_second"] == "{sample}/s"
    assert units["raymon_steps_per_second"] == "{step}/s"
    assert units["raymon_loss"] == units["raymon_device_utilization"] == ""
    assert all(metric.description for metric in scope.metrics)


def test_what_comes_again_after_a_restart_of_the_reporter_is_not_sent_twice(
    collector: Collector, tmp_path: Path
) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    again = pickle.dumps(sink)
    for each in (sink, pickle.loads(again)):
        each.begin_attempt(AttemptBegan(1, 1, 0))
        each.roll_back(0, -1)
        each.write(snapshot(10, time=1.0))
        each.write_evaluation(evaluation(1))
        each.write(snapshot(20, time=2.0))
        each.flush()
    each.write(snapshot(30, time=3.0))
    each.close()
    assert collector.values("raymon_step") == [0, 10, 20, 30]
    assert len(collector.values("raymon_eval_step")) == 1


def test_a_sink_is_made_without_a_thread_a_file_and_a_request(
    collector: Collector, tmp_path: Path
) -> None:
    threads = threading.enumerate()
    sink = pickle.loads(pickle.dumps(OpenTelemetry(tmp_path / "run", endpoint=collector.url)))
    assert isinstance(sink, RunSink)
    assert threading.enumerate() == threads
    assert not (tmp_path / "run").exists()
    assert not collector.asked


@pytest.mark.parametrize("interval_s", [0.0, 10.0])
def test_an_interval_of_0_sends_each_number_at_once(
    collector: Collector, tmp_path: Path, interval_s: float
) -> None:
    sink = OpenTelemetry(
        tmp_path, endpoint=collector.url, traces=False, export_interval_s=interval_s
    )
    sink.write(snapshot(10))
    sink.write(snapshot(20))
    assert collector.asked["/v1/metrics"] == (0 if interval_s else 2)
    assert collector.asked["/v1/traces"] == 0
