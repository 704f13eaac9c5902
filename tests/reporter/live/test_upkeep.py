"""The files of a run that goes on: what fails is counted, and nothing comes after the end."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from raymon.reporter import Cursor, Progress, Upkeep
from raymon.reporter.live import upkeep as module
from raymon.results import Published
from raymon.sinks import Console


class Silent:
    """A reporter without news."""

    def published(self, since: Cursor | None) -> tuple[list[Published], Cursor]:
        return [], ("a", 1)


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> Progress:
    monkeypatch.setattr(module, "_LOOK_S", 0.01)
    return Progress(Silent(), Console(1, 1.0, None))


def test_what_fails_is_counted_and_tried_again(tmp_path: Path, progress: Progress) -> None:
    again, live = threading.Event(), tmp_path / "monitor" / "live.json"
    calls = []

    def write_summary() -> None:
        calls.append(1)
        progress.events += 1
        if len(calls) < 3:
            raise OSError(28, "No space left on device")
        again.set()

    with Upkeep(tmp_path, progress, lambda: {"step": 1}, write_summary) as upkeep:
        assert again.wait(10)
        while not live.is_file():
            pass
    assert not live.exists()
    ((text, count),) = upkeep.failure_reasons.items()
    assert text.startswith("run.json is not written: ")
    assert (text.endswith("No space left on device"), count) == (True, 2)


def test_a_status_that_comes_after_the_end_is_not_written(
    tmp_path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_JOIN_S", 0.01)
    asked, answered = threading.Event(), threading.Event()

    def status() -> dict[str, Any]:
        asked.set()
        answered.wait(10)
        return {"step": 1}

    upkeep = Upkeep(tmp_path, progress, status, lambda: None)
    with upkeep:
        assert asked.wait(10)
    answered.set()
    upkeep._thread.join()
    assert not (tmp_path / "monitor" / "live.json").exists()


def test_an_attempt_an_evaluation_or_an_alert_is_written_at_once(
    tmp_path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SUMMARY_S", 1e9)
    written = threading.Semaphore(0)
    with Upkeep(tmp_path, progress, dict, written.release):
        for _ in range(3):
            assert written.acquire(timeout=10)
            progress.events += 1
