"""The publisher writes the numbers into sinks before the state of the reporter stands for them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from raymon.reporter.publishing.publisher import Publisher
from raymon.results import Alert, Evaluation, Snapshot
from raymon.sinks import BackgroundSink, WindowLines
from tests.sinks.snapshots import snapshot


class _Gate:
    """A sink that passes writes on to another one once it may."""

    def __init__(self, sink: WindowLines) -> None:
        self._sink = sink
        self.let = threading.Event()

    def write(self, taken: Snapshot) -> None:
        self.let.wait()
        self._sink.write(taken)

    def write_alert(self, alert: Alert) -> None:
        pass

    def write_evaluation(self, evaluation: Evaluation) -> None:
        self.let.wait()

    def roll_back(self, step: int, evaluation_step: int) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


def lines(directory: Path) -> int:
    path = directory / "monitor" / "windows.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_what_was_written_has_arrived_when_it_is_flushed(tmp_path: Path) -> None:
    slow, quick = _Gate(WindowLines(tmp_path / "slow")), WindowLines(tmp_path / "quick")
    publisher = Publisher([BackgroundSink(slow), BackgroundSink(quick)])
    for step in (10, 20, 30):
        publisher.write(snapshot(step))
    threading.Timer(0.3, slow.let.set).start()
    publisher.flush()
    assert (lines(tmp_path / "slow"), lines(tmp_path / "quick")) == (3, 3)


def test_a_sink_that_hangs_is_waited_for_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("raymon.reporter.publishing.publisher._FLUSH_S", 0.2)
    hung, quick = _Gate(WindowLines(tmp_path / "hung")), WindowLines(tmp_path / "quick")
    publisher = Publisher([BackgroundSink(hung), BackgroundSink(quick)])
    publisher.write(snapshot(10))
    publisher.flush()
    monkeypatch.setattr("raymon.reporter.publishing.publisher._FLUSH_S", 600.0)
    for step in (20, 30):
        publisher.write(snapshot(step))
        publisher.flush()  # for ten minutes, were it waited for
        assert lines(tmp_path / "quick") == step // 10
    hung.let.set()
    began = time.monotonic()
    while lines(tmp_path / "hung") < 3:
        assert time.monotonic() < began + 60


class _Unclosable(BackgroundSink):
    """A sink whose thread cannot be ended."""

    def begin_close(self) -> None:
        raise RuntimeError("no thread")


def test_a_sink_that_cannot_be_closed_costs_only_itself(tmp_path: Path) -> None:
    publisher = Publisher(
        [_Unclosable(WindowLines(tmp_path / "a")), BackgroundSink(WindowLines(tmp_path / "b"))]
    )
    publisher.write(snapshot(10))
    publisher.close()
    assert lines(tmp_path / "b") == 1
    assert publisher.failures == 1
    assert list(publisher.failure_reasons) == ["_Unclosable: RuntimeError: no thread"]
