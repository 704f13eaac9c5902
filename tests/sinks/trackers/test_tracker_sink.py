"""What holds for each tracker, seen with one of the tests, in a process of its own."""

from __future__ import annotations

import math
import os
import pickle
import signal
import time
from pathlib import Path

import pytest

from raymon.results import AttemptBegan, CheckpointSaved, RunEnded
from raymon.sinks import BackgroundSink, TrackedRun, bound
from raymon.sinks.trackers import tracker_sink
from raymon.sinks.trackers.events import Points
from raymon.sinks.trackers.tracker_sink import TrackerSink
from tests.sinks.evaluations import evaluation
from tests.sinks.sinks import wait_for
from tests.sinks.snapshots import snapshot
from tests.sinks.trackers.recording_client import RecordingClient, lines


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "monitor").mkdir()
    return tmp_path / "tracker.jsonl"


def sink_of(log: Path) -> TrackerSink:
    sink = TrackerSink(RecordingClient(log))
    run = TrackedRun(str(log.parent), "ctr", losses=frozenset({"total_loss"}))
    bound([sink], run)
    # As it travels to the process of the reporter.
    same: TrackerSink = pickle.loads(pickle.dumps(sink))
    return same


def write(sink: TrackerSink, *steps: int, at: float) -> None:
    for step in steps:
        sink.write(snapshot(step, time=at + step, losses={"bce": step / 3}))


def test_a_run_that_goes_on_is_one_run_without_a_point_twice(log: Path) -> None:
    sink = sink_of(log)
    sink.begin_attempt(AttemptBegan(1, 2, 0))
    write(sink, 10, 20, 30, at=1000.0)
    sink.write_evaluation(evaluation(30, time=1040.0))
    sink.write_checkpoint(CheckpointSaved(20, "/runs/ctr/model.ckpt-20", 1.0, 1.0))
    sink.flush()
    write(sink, 40, at=1000.0)  # not flushed when the reporter is killed
    assert sink._process is not None
    os.kill(sink._process.pid, signal.SIGKILL)

    restarted = sink_of(log)  # of the same attempt: all since the last state is published again
    restarted.begin_attempt(AttemptBegan(1, 2, 0))
    restarted.roll_back(20, -1)
    write(restarted, 30, 40, at=1000.0)
    restarted.write_evaluation(evaluation(30, time=1040.0))
    restarted.flush()
    # The workers are started again from step 20.
    restarted.roll_back(20, -1)
    restarted.begin_attempt(AttemptBegan(2, 1, 20))
    write(restarted, 30, 40, at=2000.0)
    restarted.end_run(RunEnded("done"))
    restarted.close()

    found = lines(log)
    assert [line["open"] for line in found if "open" in line] == ["run-1", "run-1"]
    points = [(line["step"], line["attempt"]) for line in found if line.get("eval") is False]
    assert points == [(10, 1), (20, 1), (30, 1), (40, 1), (30, 2), (40, 2)]
    assert [line["step"] for line in found if line.get("eval")] == [30]
    assert next(line for line in found if line.get("step") == 10)["loss/bce"] == 10 / 3
    assert found[-2:] == [{"status": "done"}, {"close": True}]


def test_a_tracker_that_hangs_costs_one_line_and_its_process(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_sink, "OPEN_S", 0.5)
    (log.parent / "hang").touch()
    sink = sink_of(log)
    shielded = BackgroundSink(sink)
    shielded.begin_attempt(AttemptBegan(1, 1, 0))
    shielded.write(snapshot(10))
    shielded.flush()
    process = wait_for(lambda: sink._process)
    wait_for(lambda: shielded.failures)
    began = time.monotonic()
    shielded.close()
    assert time.monotonic() - began < 5
    assert shielded.take_notices() == [
        f"TrackerSink: TimeoutError: {log} has not answered for 0.5 s (given up after 1 try)",
        "TrackerSink: closed without 1 points that it did not take",
    ]
    assert not process.is_alive


def test_a_tracker_that_refuses_the_token_is_told_once_and_without_it(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDING_TOKEN", "s3cret")
    (log.parent / "refuse").touch()
    sink = sink_of(log)
    shielded = BackgroundSink(sink)
    for step in (10, 20):
        shielded.write(snapshot(step))
        shielded.flush()
    wait_for(lambda: shielded.failures == 2)
    assert shielded.take_notices() == [
        "TrackerSink: PermissionError: http://host/api?token=... refuses the token "
        "(given up after 1 try)"
    ]
    # It takes all, once it does.
    (log.parent / "refuse").unlink()
    shielded.flush()
    shielded.close()
    assert [line["step"] for line in lines(log) if "step" in line] == [10, 20]
    assert shielded.take_notices() == []
    assert "s3cret" not in "".join(path.read_text() for path in (log.parent / "monitor").iterdir())


def test_points_that_wait_for_a_tracker_are_bounded_and_those_lost_are_told(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_sink, "_MOST_GATHERED", 3)
    sink = sink_of(log)
    write(sink, 10, 20, 30, 40, 50, at=0.0)
    assert [event.step for event in sink._gathered if isinstance(event, Points)] == [30, 40, 50]
    assert len(sink.take_notices()) == 1


def test_a_value_that_is_none_is_not_a_number(log: Path) -> None:
    sink = sink_of(log)
    sink.write(snapshot(10, losses={"bce": math.nan}))
    (points,) = sink._gathered
    assert isinstance(points, Points)
    assert math.isnan(points.values["loss/bce"])
