"""The trace of a run, by OTLP."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Finding,
    RunEnded,
)
from raymon.sinks import OpenTelemetry
from raymon.sinks.opentelemetry.window_limit import WindowLimit
from tests.sinks.evaluations import evaluation
from tests.sinks.opentelemetry.collector import Collector, values_of
from tests.sinks.snapshots import snapshot

_ERROR = 2


def test_windows_saves_and_evaluations_are_in_attempts_and_attempts_in_the_run(
    collector: Collector, tmp_path: Path
) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    sink.write(snapshot(10, time=100.0, phases={"forward": 0.25}))
    sink.write_checkpoint(CheckpointSaved(10, "s3://key:secret@bucket/model.ckpt-10", 100.0, 2.5))
    sink.write_evaluation(evaluation(10))
    sink.end_run(RunEnded("done"))
    sink.close()
    (run,), (attempt,) = collector.spans("run"), collector.spans("attempt")
    (window,), (save,) = collector.spans("window"), collector.spans("save")
    (scores,) = collector.spans("evaluation")
    assert len({span.trace_id for span in collector.spans()}) == 1
    assert run.parent_span_id == b""
    assert attempt.parent_span_id == run.span_id
    assert {each.parent_span_id for each in (window, save, scores)} == {attempt.span_id}
    assert run.start_time_unix_nano <= attempt.start_time_unix_nano
    assert attempt.end_time_unix_nano <= run.end_time_unix_nano
    assert (window.start_time_unix_nano, window.end_time_unix_nano) == (99.5e9, 100e9)
    assert (save.start_time_unix_nano, save.end_time_unix_nano) == (100e9, 102.5e9)
    found = values_of(window.attributes)
    assert (found["raymon.first_step"], found["raymon.end_step"]) == (0, 10)
    assert found["raymon.samples"] == 2000
    assert found["raymon.loss.total_loss"] == 0.52341
    assert found["raymon.metric.auc"] == 0.71234
    assert found["raymon.phase_seconds.forward"] == 0.25
    assert "secret" not in values_of(save.attributes)["raymon.checkpoint"]
    assert (scores.start_time_unix_nano, scores.end_time_unix_nano) == (7.5e9, 10e9)
    found = values_of(scores.attributes)
    assert found["raymon.eval_metric.grouped_auc"] == 0.7
    assert "raymon.eval_metric.pr_auc" not in found  # it has no value
    assert values_of(run.attributes)["raymon.status"] == "done"
    assert {each.status.code for each in collector.spans()} == {0}


def test_windows_are_there_while_their_attempt_goes_on(
    collector: Collector, tmp_path: Path
) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    sink.write(snapshot(10))
    sink.flush()
    assert [span.name for span in collector.spans()] == ["window"]
    sink.begin_attempt(AttemptBegan(2, 2, 0))
    sink.flush()
    (attempt,) = collector.spans("attempt")
    assert attempt.span_id == collector.spans("window")[0].parent_span_id


def test_an_attempt_that_fails_and_a_run_that_does_are_errors(
    collector: Collector, tmp_path: Path
) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    sink.fail_attempt(AttemptFailed(1, "rank 1 was killed", goes_on=True))
    sink.begin_attempt(AttemptBegan(2, 2, 0))
    sink.fail_attempt(AttemptFailed(3, "no room for workers", goes_on=False))
    sink.end_run(RunEnded("failed", "no room for workers"))
    sink.close()
    attempts = [(span.status.code, span.status.message) for span in collector.spans("attempt")]
    assert attempts[0] == (_ERROR, "rank 1 was killed")
    assert sorted(attempts[1:]) == [(_ERROR, "no room for workers")] * 2
    (run,) = collector.spans("run")
    assert (run.status.code, run.status.message) == (_ERROR, "no room for workers")


def test_an_alert_is_there_at_once_and_has_its_length_once_it_is_over(
    collector: Collector, tmp_path: Path
) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    finding = Finding("straggler", "rank 1 is slow", rank=1, phase="data")
    sink.write_alert(Alert(finding, 1, 10, 7.0))
    sink.flush()
    (begins,) = collector.spans("alert")
    assert begins.start_time_unix_nano == begins.end_time_unix_nano == 7e9
    assert (begins.status.code, begins.status.message) == (_ERROR, "rank 1 is slow")
    assert values_of(begins.attributes)["raymon.alert.rank"] == 1
    sink.write_alert(Alert(finding, 1, 20, 9.0, is_over=True))
    sink.flush()
    (over,) = collector.spans("alert over")
    assert (over.start_time_unix_nano, over.end_time_unix_nano) == (7e9, 9e9)


def test_a_reporter_that_is_started_again_goes_on_with_the_spans(
    collector: Collector, tmp_path: Path
) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    again = pickle.dumps(sink)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    sink.write(snapshot(10, time=1.0))  # it is killed before this is sent
    sink = pickle.loads(again)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    sink.roll_back(0, -1)
    sink.write(snapshot(10, time=1.0))
    sink.end_run(RunEnded("done"))
    sink.close()
    (run,), (attempt,), (window,) = map(collector.spans, ("run", "attempt", "window"))
    assert window.parent_span_id == attempt.span_id
    assert attempt.parent_span_id == run.span_id
    kept = json.loads((tmp_path / "monitor" / "opentelemetry.json").read_text())
    assert bytes.fromhex(kept["trace_id"]) == run.trace_id


def test_a_run_that_is_resumed_goes_on_in_its_trace_with_a_link_to_the_session_before(
    collector: Collector, tmp_path: Path
) -> None:
    for number in (1, 2):
        sink = OpenTelemetry(tmp_path, endpoint=collector.url)
        sink.begin_attempt(AttemptBegan(number, 2, 0))
        sink.end_run(RunEnded("interrupted"))
        sink.close()
    first, second = collector.spans("run")
    assert first.trace_id == second.trace_id
    assert [link.span_id for link in second.links] == [first.span_id]
    assert [each.parent_span_id for each in collector.spans("attempt")] == [
        first.span_id,
        second.span_id,
    ]


def test_what_a_killed_session_left_open_ends_with_its_last_window(
    collector: Collector, tmp_path: Path
) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    later = 1e6 + OpenTelemetry(tmp_path, endpoint=collector.url)._session.began
    sink.write(snapshot(10, time=later))
    sink.flush()  # then the whole run is killed
    resumed = OpenTelemetry(tmp_path, endpoint=collector.url)
    resumed.begin_attempt(AttemptBegan(2, 2, 0))
    resumed.flush()
    (run,), (attempt,) = collector.spans("run"), collector.spans("attempt")
    assert attempt.parent_span_id == run.span_id
    for span in (run, attempt):
        assert span.status.code == _ERROR
        assert span.end_time_unix_nano == pytest.approx(later * 1e9)


def test_without_a_directory_a_session_has_a_trace_of_its_own(collector: Collector) -> None:
    for _ in range(2):
        sink = OpenTelemetry(endpoint=collector.url)
        sink.begin_attempt(AttemptBegan(1, 2, 0))
        sink.close()
    assert len({span.trace_id for span in collector.spans("run")}) == 2


def test_a_run_of_a_million_windows_has_a_few_thousand_spans() -> None:
    limit = WindowLimit(1000)
    taken = [every for every in (limit.take() for _ in range(1_000_000)) if every is not None]
    assert taken[:1000] == [1] * 1000
    assert taken[1000:2000] == [2] * 1000
    assert 9_000 < len(taken) < 11_000
    assert sum(taken) <= 1_000_000 < sum(taken) + 2 * taken[-1]


def test_no_window_has_a_span_where_none_is_asked_for(collector: Collector, tmp_path: Path) -> None:
    sink = OpenTelemetry(tmp_path, endpoint=collector.url, window_spans=0)
    sink.write(snapshot(10))
    sink.close()
    assert [span.name for span in collector.spans()] == ["run"]
    assert collector.values("raymon_step") == [10]
