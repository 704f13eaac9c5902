"""A loop of somebody else's is sent by OTLP."""

from __future__ import annotations

import json
from pathlib import Path

import torch

import raymon
from raymon.sinks import OpenTelemetry, run_label
from raymon.sinks.opentelemetry.spans import nanoseconds
from tests.sinks.opentelemetry.collector import collecting, values_of


def test_a_monitor_sends_its_numbers_and_a_trace_under_its_directory(tmp_path: Path) -> None:
    with collecting() as collector:
        sink = OpenTelemetry(endpoint=collector.url)
        with raymon.Monitor(model_dir=tmp_path, log_step_count_steps=2, sinks=[sink]) as monitor:
            for step in range(6):
                monitor.step({"bce": torch.tensor(step / 3)})
            monitor.checkpoint(tmp_path / "model.pt")
            monitor.evaluation({"auc": 0.75})
    lines = [json.loads(x) for x in (tmp_path / "monitor/windows.jsonl").read_text().splitlines()]
    expected = [(nanoseconds(line["time"]), line["losses"]["bce"]) for line in lines]
    label = run_label(str(tmp_path))
    assert collector.points("raymon_loss", loss="bce", run=label) == expected
    assert collector.values("raymon_eval_metric") == [0.75]
    (run,), (attempt,) = collector.spans("run"), collector.spans("attempt")
    assert values_of(run.attributes)["raymon.status"] == "done"
    inside = [span for span in collector.spans() if span.parent_span_id == attempt.span_id]
    assert sorted(span.name for span in inside) == ["evaluation", "save", *["window"] * 3]
