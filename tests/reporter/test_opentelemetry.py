"""What a collector has of a run whose reporter and workers are killed is what its files have."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

from raymon.reporter import Reporter
from raymon.results import Failure, RunEnded
from raymon.sinks import OpenTelemetry, WindowLines
from raymon.sinks.opentelemetry.spans import nanoseconds
from tests.reporter.windows import auc_metrics, auc_window, clicks
from tests.sinks.opentelemetry.collector import collecting, values_of


def make_reporter(directory: Path, pickled: bytes) -> Reporter:
    return Reporter(directory, [WindowLines(directory), pickle.loads(pickled)], 10, 5.0)


def report(reporter: Reporter, indices: range, first: int, at: float, attempt: int = 1) -> None:
    """Reports windows of ten steps, the second of which ends at a checkpoint."""
    for index in indices:
        begin = first + 10 * index
        message = auc_window(
            0,
            index,
            (begin, begin + 10),
            *clicks(10, index),
            loss=at + index,
            attempt=attempt,
            checkpoint=index == 1,
            time=at + index,
        )
        assert reporter.report(message).refused is None


def test_points_and_spans_of_a_disturbed_run_are_those_of_its_lines(tmp_path: Path) -> None:
    with collecting() as collector:
        pickled = pickle.dumps(OpenTelemetry(tmp_path, endpoint=collector.url))
        killed = make_reporter(tmp_path, pickled)
        killed.begin_attempt("t", 1, 0, auc_metrics())
        report(killed, range(3), 0, 1000.5)
        assert len(collector.spans("window")) == 2  # the third waits, and the reporter is killed
        again = make_reporter(tmp_path, pickled)
        assert again.go_on("t", auc_metrics())
        report(again, range(3, 5), 0, 1000.5)
        again.publish_failure(Failure("rank 0 was killed", "", (0,), goes_on=True))
        again.begin_attempt("u", 1, 20, auc_metrics())
        report(again, range(2), 20, 2000.25, attempt=2)
        again.close(RunEnded("done"))
    lines = [json.loads(x) for x in (tmp_path / "monitor/windows.jsonl").read_text().splitlines()]
    assert [line["global_step"] for line in lines] == [10, 20, 30, 40]
    for name, labels, value_of in (
        ("raymon_loss", {"loss": "bce"}, lambda line: line["losses"]["bce"]),
        ("raymon_metric", {"metric": "auc"}, lambda line: line["metrics"]["auc"]),
        ("raymon_samples_total", {}, lambda line: line["samples_total"]),
    ):
        points = collector.points(name, **labels)
        assert len(points) == len(set(points)) == 7
        assert {(nanoseconds(line["time"]), value_of(line)) for line in lines} <= set(points)
    assert collector.values("raymon_step") == [0, 10, 20, 30, 40, 50, 20, 30, 40]
    (run,), (first, second) = collector.spans("run"), collector.spans("attempt")
    assert (first.status.code, second.status.code, run.status.code) == (2, 0, 0)
    assert "rank 0 was killed" in first.status.message
    assert first.parent_span_id == second.parent_span_id == run.span_id
    inside = {each.span_id: [] for each in (first, second)}
    for span in collector.spans("window"):
        inside[span.parent_span_id].append(values_of(span.attributes)["raymon.end_step"])
    assert inside == {first.span_id: [10, 20, 30, 40, 50], second.span_id: [30, 40]}
