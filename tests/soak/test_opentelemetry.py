"""A run on Ray is sent by OTLP, while a worker and the reporter are killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raymon.sinks import run_label
from raymon.sinks.opentelemetry.spans import nanoseconds
from raymon.training.checkpoint.manifest import list_checkpoints
from tests.integration.kills import (
    STEPS,
    finish,
    kill,
    reported_step,
    saved_step,
    start,
    wait_for,
    windows,
)
from tests.sinks.opentelemetry.collector import Collector, collecting, values_of
from tests.sinks.opentelemetry.test_grpc import serving

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

WORKER, REPORTER = "RayTrainWorker", "ReportingActor"
_ERROR = 2


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_what_a_collector_has_of_a_killed_run_is_what_its_files_have(
    ray_address: str, click_log: Path, tmp_path: Path, protocol: str
) -> None:
    with collecting() as collector:
        if protocol == "grpc":
            with serving(collector) as url:
                summary = disturbed(ray_address, click_log, tmp_path, url, protocol)
        else:
            summary = disturbed(ray_address, click_log, tmp_path, collector.url, protocol)
    run = tmp_path / "run"
    assert summary["monitoring"]["windows_lost"] == 0
    assert_metrics(collector, run)
    assert_trace(collector, run)


def disturbed(address: str, click_log: Path, directory: Path, url: str, protocol: str) -> dict:
    """Runs a training that loses a worker and its reporter, and returns its summary."""
    run = directory / "run"
    training = start(
        directory,
        click_log,
        address,
        f"monitor_config.opentelemetry.endpoint={url}",
        f"monitor_config.opentelemetry.protocol={protocol}",
        "monitor_config.opentelemetry.export_interval_s=1",
    )
    wait_for(lambda: saved_step(run) >= 80 and reported_step(run) >= 100, training)
    kill(WORKER)
    wait_for(lambda: saved_step(run) >= 160 and reported_step(run) >= 200, training)
    kill(REPORTER)
    return finish(training)


def assert_metrics(collector: Collector, run: Path) -> None:
    lines, label = windows(run), run_label(str(run))
    assert [line["global_step"] for line in lines] == list(range(10, STEPS + 1, 10))
    for name, labels, field in (
        ("raymon_loss", {"loss": "total_loss"}, ("losses", "total_loss")),
        ("raymon_metric", {"metric": "auc"}, ("metrics", "auc")),
        ("raymon_learning_rate", {"group": "g0"}, ("learning_rates", 0)),
        ("raymon_samples_total", {}, ("samples_total",)),
        ("raymon_samples_per_second", {}, ("samples_per_second",)),
    ):
        points = collector.points(name, run=label, **labels)
        assert len(points) == len(set(points)), name
        sent = dict(points)
        for line in lines:
            value = line
            for key in field:
                value = value[key]
            assert sent[nanoseconds(line["time"])] == value, (name, line["global_step"])
    assert collector.values("raymon_attempt") == [1, 2]
    assert collector.values("raymon_up")[-1] == 0


def assert_trace(collector: Collector, run: Path) -> None:
    spans = collector.spans()
    assert len({span.trace_id for span in spans}) == 1
    assert len({span.span_id for span in spans}) == len(spans)
    (session,), attempts = collector.spans("run"), collector.spans("attempt")
    assert [attempt.status.code for attempt in attempts] == [_ERROR, 0]
    assert "rank" in attempts[0].status.message
    assert {attempt.parent_span_id for attempt in attempts} == {session.span_id}
    by_id = {attempt.span_id: attempt for attempt in attempts}
    for name in ("window", "save", "evaluation"):
        for span in collector.spans(name):
            within = by_id[span.parent_span_id]
            assert span.end_time_unix_nano <= within.end_time_unix_nano, name
            assert span.start_time_unix_nano >= within.start_time_unix_nano, name
    ends = {span.end_time_unix_nano for span in collector.spans("window")}
    assert {nanoseconds(line["time"]) for line in windows(run)} <= ends
    saved = {values_of(span.attributes)["raymon.step"] for span in collector.spans("save")}
    assert saved == {checkpoint.step for checkpoint in list_checkpoints(run)}
    lines = (run / "monitor" / "evaluations.jsonl").read_text().splitlines()
    scores = {line["global_step"]: line["metrics"]["auc"] for line in map(json.loads, lines)}
    sent = [values_of(span.attributes) for span in collector.spans("evaluation")]
    assert {each["raymon.step"]: each["raymon.eval_metric.auc"] for each in sent} == scores
