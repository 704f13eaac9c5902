"""Lines and curves on object storage."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.results import Alert, Evaluation, Finding
from raymon.sinks import (
    AlertLines,
    BackgroundSink,
    EvaluationLines,
    TensorBoard,
    WindowLines,
    read_alerts,
)
from raymon.sinks.background import sink_thread as thread_of_a_sink
from tests.sinks.sinks import Recorder, wait_for
from tests.sinks.snapshots import snapshot
from tests.storage.copies import lines_of, mirror
from tests.storage.objects import Objects, now_and_then
from tests.storage.test_object_log import no_pauses

__all__ = ["no_pauses"]


def steps(lines: list[bytes]) -> list[int]:
    return [json.loads(line)["global_step"] for line in lines]


def points(directory: Path, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(directory), size_guidance={"scalars": 0}).Reload()
    return [(point.step, point.value) for point in events.Scalars(tag)]


def test_lines_are_gathered_up_to_a_flush_and_read_as_one_file() -> None:
    objects = Objects()
    windows = WindowLines(objects.path())
    for step in (10, 20):
        windows.write(snapshot(step))
    assert objects.objects == {}
    windows.flush()
    windows.write(snapshot(30))
    windows.close()
    assert steps(lines_of(objects)) == [10, 20, 30]
    assert objects.puts == 2


def test_a_roll_back_drops_lines_that_are_written_and_lines_that_are_not() -> None:
    objects = Objects()
    windows = WindowLines(objects.path())
    for step in (10, 20, 30, 40):
        windows.write(snapshot(step))
        if step == 30:
            windows.flush()
    windows.roll_back(20, 20)
    windows.write(snapshot(25))
    windows.flush()
    again = WindowLines(objects.path())
    again.roll_back(25, 25)
    again.write(snapshot(26))
    again.close()
    assert steps(lines_of(objects)) == [10, 20, 25, 26]


def test_scores_are_one_object_that_each_line_writes_anew() -> None:
    objects = Objects()
    scores = EvaluationLines(objects.path())
    scores.write_evaluation(Evaluation(10, {"auc": 0.5}))
    scores = EvaluationLines(objects.path())
    scores.write_evaluation(Evaluation(20, {"auc": float("nan")}))
    expected = b'{"global_step": 10, "auc": 0.5}\n{"global_step": 20, "auc": null}\n'
    assert objects.objects == {"bucket/run/train_eval_result_v2.txt": expected}
    scores.roll_back(20, 10)
    assert objects.objects == {"bucket/run/train_eval_result_v2.txt": expected[:32]}


def test_a_copy_of_the_objects_has_the_curves(tmp_path: Path) -> None:
    objects = Objects()
    board = TensorBoard(objects.path(), ["loss"])
    for step in (10, 20, 30):
        board.write(snapshot(step, losses={"bce": float(step)}))
        board.write_evaluation(Evaluation(step, {"auc": 0.5}))
        board.flush()
    assert points(mirror(objects, tmp_path) / "run", "loss/bce") == [(10, 10), (20, 20), (30, 30)]
    board.write(snapshot(40, losses={"bce": 40.0}))
    board.roll_back(20, 20)
    again = TensorBoard(objects.path(), ["loss"])
    again.roll_back(10, 10)
    again.write(snapshot(20, losses={"bce": 2.0}))
    again.close()
    mirror(objects, tmp_path)
    assert points(tmp_path / "run", "loss/bce") == [(10, 10), (20, 2)]
    assert points(tmp_path / "run/eval_val", "metric/auc") == [(10, 0.5)]


def test_there_are_never_many_event_files_and_who_has_read_them_sees_no_point_twice(
    tmp_path: Path,
) -> None:
    objects = Objects()
    board = TensorBoard(objects.path(), ["loss"])
    reader = None
    for step in range(10, 4010, 10):
        board.write(snapshot(step, losses={"bce": float(step)}))
        board.flush()
        if step % 130 == 0:
            mirror(objects, tmp_path)
            reader = reader or EventAccumulator(str(tmp_path / "run"), {"scalars": 0})
            found = reader.Reload().Scalars("loss/bce")
            assert [point.step for point in found] == list(range(10, step + 10, 10))
    assert len(objects.objects) <= 400 / 64 + 128
    assert [p for p, _ in points(mirror(objects, tmp_path) / "run", "loss/bce")] == list(
        range(10, 4010, 10)
    )


@given(st.integers(0))
def test_storage_that_fails_now_and_then_costs_no_line_and_shows_none_twice(
    tmp_path_factory, seed: int
) -> None:
    rng, objects = random.Random(seed), Objects()
    objects.arrives = lambda: rng.random() < 0.5
    sinks = [WindowLines(objects.path()), TensorBoard(objects.path(), ["loss"])]
    expected: list[int] = []

    def until_it_works(action, *arguments: int) -> None:
        for tries in range(50):
            objects.fails = now_and_then(rng) if tries < 40 else lambda kind: None
            try:
                action(*arguments)
            except OSError:
                continue
            return

    for step in range(10, 400, 10):
        for sink in sinks:
            sink.write(snapshot(step, losses={"bce": float(step)}))
        expected.append(step)
        if rng.random() < 0.5:
            objects.fails = now_and_then(rng)
            for sink in sinks:
                # What was not written is written by the next.
                with suppress(OSError):
                    sink.flush()
        if rng.random() < 0.1:
            back = rng.choice(expected)
            for sink in sinks:
                until_it_works(sink.roll_back, back, back)
            expected = [each for each in expected if each <= back]
            for again in range(back + 10, step + 10, 10):
                for sink in sinks:
                    sink.write(snapshot(again, losses={"bce": float(again)}))
                expected.append(again)
    objects.fails = lambda kind: None
    for sink in sinks:
        sink.close()
    where = mirror(objects, tmp_path_factory.mktemp("run"))
    assert points(where / "run", "loss/bce") == [(step, step) for step in expected]
    fresh = WindowLines(objects.path())
    assert steps(fresh._file._parts.read()) == expected


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_of_a_sink, "GATHER_S", 0.05)


def test_what_is_gathered_is_written_soon_though_nothing_follows(soon: None) -> None:
    recorder = Recorder()
    sink = BackgroundSink(recorder)
    sink.write(snapshot(10))
    wait_for(lambda: recorder.calls == [("write", 10), ("flush",)])
    sink.write(snapshot(20))
    sink.write(snapshot(30))
    wait_for(lambda: len(recorder.calls) == 5)
    sink.close()
    assert recorder.calls[2:] == [("write", 20), ("write", 30), ("flush",), ("close",)]


def test_a_flush_that_was_given_up_is_made_again(soon: None) -> None:
    objects = Objects()

    def fail(kind: str) -> None:
        raise OSError("503 SlowDown")

    objects.fails = fail
    sink = BackgroundSink(WindowLines(objects.path()), tries=1)
    sink.write(snapshot(10))
    wait_for(lambda: sink.failures >= 2)
    objects.fails = lambda kind: None
    wait_for(lambda: objects.objects)
    assert steps(lines_of(objects)) == [10]
    sink.close()


def test_alerts_are_read_as_they_were_written() -> None:
    objects = Objects()
    assert read_alerts(objects.path()) == []
    finding = Finding("nonfinite", "loss is NaN", rank=1, first_step=7, of_steps=True)
    alerts = [Alert(finding, 1, 10, 5.0), Alert(finding, 1, 20, 6.5, is_over=True)]
    lines = AlertLines(objects.path())
    for alert in alerts:
        lines.write_alert(alert)
    assert read_alerts(objects.path()) == alerts
