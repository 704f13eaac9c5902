import pickle
import subprocess
import threading
import time
from types import SimpleNamespace

import pytest

from raymon.results import Evaluation, Snapshot
from raymon.sinks import (
    BackgroundSink,
    EvaluationLines,
    EvaluationRecords,
    TensorBoard,
    WindowLines,
)
from tests.installed import installed_python
from tests.sinks.sinks import SOON_S, Hanging, Recorder, wait_for
from tests.sinks.snapshots import snapshot

FULL = "[Errno 28] No space left on device"


def full_disk(times: int) -> list[BaseException]:
    return [OSError(28, "No space left on device") for _ in range(times)]


@pytest.fixture
def hanging():
    sink = Hanging()
    yield sink
    sink.go_on.set()


def test_calls_are_made_in_their_order_on_one_other_thread() -> None:
    recorder = Recorder()
    sink = BackgroundSink(recorder)
    sink.write(snapshot(10))
    sink.write_evaluation(Evaluation(10, {}))
    sink.roll_back(5, 4)
    sink.write(snapshot(10))
    sink.close()
    assert recorder.calls == [
        ("write", 10),
        ("evaluation", 10),
        ("roll_back", 5, 4),
        ("write", 10),
        ("close",),
    ]
    assert len(recorder.threads) == 1
    assert threading.get_ident() not in recorder.threads
    assert (sink.name, sink.failures, sink.dropped, sink.take_notices()) == ("Recorder", 0, 0, [])


def test_a_sink_that_hangs_delays_neither_its_caller_nor_another_sink(hanging) -> None:
    slow, other = BackgroundSink(hanging), BackgroundSink(Recorder())
    for step in range(10, 1000, 10):
        slow.write(snapshot(step))
        other.write(snapshot(step))
    other.close()
    assert len(other._sink.calls) == 100
    assert hanging.calls == []


def test_a_sink_that_hangs_is_told_once_and_once_more_when_it_goes_on(hanging) -> None:
    now = [0.0]
    sink = BackgroundSink(hanging, hangs_after_s=30.0, clock=lambda: now[0])
    sink.write(snapshot(10))
    hanging.hangs.wait(SOON_S)
    now[0] = 29.0
    assert sink.take_notices() == []
    now[0] = 31.0
    told = ["Hanging has not finished a write for 31 s; what follows waits for it"]
    assert sink.take_notices() == told
    now[0] = 45.0
    assert sink.take_notices() == []
    hanging.go_on.set()
    assert wait_for(sink.take_notices) == ["Hanging goes on: a write took 45 s"]
    sink.close()
    assert hanging.calls == [("write", 10), ("close",)]
    assert sink.take_notices() == []


def test_a_hang_that_nobody_saw_is_told_afterwards(hanging) -> None:
    now = [0.0]
    sink = BackgroundSink(hanging, hangs_after_s=30.0, clock=lambda: now[0])
    sink.write(snapshot(10))
    hanging.hangs.wait(SOON_S)
    now[0] = 40.0
    hanging.go_on.set()
    sink.close()
    assert sink.take_notices() == ["Hanging goes on: a write took 40 s"]


def test_a_sink_that_is_always_slow_is_not_always_told() -> None:
    now = [0.0]

    class Slow(Recorder):
        def write(self, snapshot) -> None:
            now[0] += 31.0

    sink = BackgroundSink(Slow(), hangs_after_s=30.0, clock=lambda: now[0])
    for step in range(10, 1000, 10):
        sink.write(snapshot(step))
    sink.close()
    assert sink.take_notices() == ["Slow goes on: a write took 31 s"]


def test_a_write_that_succeeds_in_the_end_is_made_once_and_not_told() -> None:
    recorder = Recorder(full_disk(2))
    sink = BackgroundSink(recorder, tries=3, retry_s=0.001)
    sink.write(snapshot(10))
    sink.close()
    assert recorder.calls == [("write", 10), ("close",)]
    assert (sink.failures, sink.dropped, sink.take_notices()) == (0, 0, [])


def test_a_write_that_fails_every_time_is_given_up_and_told_and_the_next_is_made() -> None:
    recorder = Recorder(full_disk(3))
    sink = BackgroundSink(recorder, tries=3, retry_s=0.001)
    sink.write(snapshot(10))
    sink.write(snapshot(20))
    sink.close()
    assert recorder.calls == [("write", 20), ("close",)]
    assert sink.failures == 1
    assert sink.take_notices() == [f"Recorder: OSError: {FULL} (given up after 3 tries)"]
    assert sink.take_notices() == []


def test_each_kind_of_failure_is_told_once_and_counted_always() -> None:
    errors = [*full_disk(2), ValueError("no\nsuch   field"), *full_disk(1)]
    sink = BackgroundSink(Recorder(errors), tries=1)
    for step in (10, 20, 30, 40):
        sink.write(snapshot(step))
    sink.close()
    assert sink.failures == 4
    assert sink.take_notices() == [
        f"Recorder: OSError: {FULL} (given up after 1 try)",
        "Recorder: ValueError: no such field (given up after 1 try)",
    ]


def test_a_sink_that_exits_ends_nothing() -> None:
    recorder = Recorder([SystemExit(1)])
    sink = BackgroundSink(recorder, tries=1)
    sink.write(snapshot(10))
    sink.write(snapshot(20))
    sink.close()
    assert recorder.calls == [("write", 20), ("close",)]
    assert (sink.failures, len(sink.take_notices())) == (1, 1)


def test_the_pause_between_tries_doubles(monkeypatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=pauses.append))
    sink = BackgroundSink(Recorder(full_disk(4)), tries=4, retry_s=1.0)
    sink.write(snapshot(10))
    sink.close()
    assert pauses == [1.0, 2.0, 4.0]


def test_a_full_queue_drops_its_oldest_writes_then_evaluations_and_never_a_roll_back(
    hanging,
) -> None:
    sink = BackgroundSink(hanging, queued=4)
    sink.write(snapshot(10))
    hanging.hangs.wait(SOON_S)
    sink.write_evaluation(Evaluation(10, {}))
    sink.roll_back(10, 10)
    for step in (20, 30, 40, 50):
        sink.write(snapshot(step))
    assert sink.dropped == 1
    for step in (60, 70, 80, 90):
        sink.write_evaluation(Evaluation(step, {}))
    assert sink.dropped == 5
    hanging.go_on.set()
    sink.close()
    assert hanging.calls == [
        ("write", 10),
        ("roll_back", 10, 10),
        ("evaluation", 60),
        ("evaluation", 70),
        ("evaluation", 80),
        ("evaluation", 90),
        ("close",),
    ]
    assert sink.take_notices() == ["Hanging: more than 4 writes wait; the oldest are dropped"]


@pytest.mark.parametrize("first", [(20, 10), (10, 20)])
def test_nothing_is_written_past_a_roll_back_that_failed(first: tuple[int, int]) -> None:
    recorder = Recorder(full_disk(3))
    sink = BackgroundSink(recorder, tries=1)
    sink.roll_back(*first)
    sink.write(snapshot(30))
    sink.roll_back(*reversed(first))
    sink.write(snapshot(20))
    sink.write(snapshot(30))
    sink.close()
    assert recorder.calls == [("roll_back", 10, 10), ("write", 20), ("write", 30), ("close",)]
    assert sink.failures == 3


def test_a_sink_that_cannot_roll_back_is_closed_all_the_same() -> None:
    class NoWayBack(Recorder):
        def roll_back(self, step: int, evaluation_step: int) -> None:
            raise NotImplementedError

    recorder = NoWayBack()
    sink = BackgroundSink(recorder, tries=1)
    sink.roll_back(20, 20)
    sink.write(snapshot(30))
    sink.close()
    assert recorder.calls == [("close",)]
    assert sink.failures == 2


def test_a_roll_back_that_was_owed_is_made_once() -> None:
    recorder = Recorder([*full_disk(1)])
    sink = BackgroundSink(recorder, tries=2, retry_s=0.001)
    sink.roll_back(20, 20)
    sink.write(snapshot(30))
    sink.close()
    assert recorder.calls == [("roll_back", 20, 20), ("write", 30), ("close",)]


def test_closing_a_sink_that_hangs_returns_and_tells_what_is_lost(hanging) -> None:
    sink = BackgroundSink(hanging)
    for step in (10, 20, 30):
        sink.write(snapshot(step))
    hanging.hangs.wait(SOON_S)
    began = time.monotonic()
    sink.close(timeout_s=0.05)
    assert time.monotonic() - began < SOON_S
    assert sink.dropped == 3
    assert sink.take_notices() == ["Hanging: not done 0.05 s after the end; writes dropped: 3"]
    hanging.go_on.set()
    wait_for(lambda: ("close",) in hanging.calls)
    assert ("write", 30) not in hanging.calls


def test_what_comes_after_the_close_is_dropped_and_told() -> None:
    recorder = Recorder()
    sink = BackgroundSink(recorder)
    sink.close()
    sink.close()
    sink.write(snapshot(10))
    assert recorder.calls == [("close",)]
    assert sink.dropped == 1
    assert sink.take_notices() == ["Recorder: a write after its close is dropped"]


def test_a_sink_travels_to_another_process_before_its_first_call(tmp_path) -> None:
    kinds = (
        WindowLines(tmp_path),
        EvaluationLines(tmp_path),
        EvaluationRecords(tmp_path),
        TensorBoard(tmp_path, ["loss"]),
    )
    for kind in kinds:
        sink = pickle.loads(pickle.dumps(BackgroundSink(kind)))
        assert (sink.name, sink.failures, sink.take_notices()) == (type(kind).__name__, 0, [])
        sink.write(snapshot(10))
        sink.write_evaluation(Evaluation(10, {"auc": 0.5}))
        sink.close()
        assert (sink.failures, sink.dropped) == (0, 0)
    assert (tmp_path / "monitor/windows.jsonl").exists()
    assert (tmp_path / "train_eval_result_v2.txt").exists()
    assert (tmp_path / "monitor/evaluations.jsonl").exists()
    assert list(tmp_path.glob("events*"))


HANG = """
import threading
from raymon.sinks import BackgroundSink

class Hanging:
    def roll_back(self, step, evaluation_step):
        threading.Event().wait()

sink = BackgroundSink(Hanging())
sink.roll_back(0, 0)
sink.close(timeout_s=0.05)
print(*sink.take_notices())
"""


def test_a_sink_that_hangs_keeps_no_process_alive() -> None:
    said = subprocess.run(
        [installed_python(), "-c", HANG], capture_output=True, text=True, check=True, timeout=SOON_S
    )
    assert said.stdout == "Hanging: not done 0.05 s after the end; writes dropped: 0\n"


def test_at_the_end_a_disk_that_stays_full_is_tried_in_full_once(monkeypatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=pauses.append))
    started = threading.Event()

    class Full(Recorder):
        def write(self, snapshot: Snapshot) -> None:
            started.wait()
            super().write(snapshot)

    sink = BackgroundSink(Full(full_disk(1000)), tries=3, retry_s=1.0)
    for step in range(10, 210, 10):
        sink.write(snapshot(step))
    sink.begin_close()
    started.set()
    sink.close()
    # One for the write, and one for the flush or close that follows, at most.
    assert len(pauses) <= 2
    assert sink.failures >= 20
    assert sink.failure_reasons == {"Full: OSError": sink.failures}
