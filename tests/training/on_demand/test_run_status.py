"""The status of a run, also where its reporter is silent or its process was killed."""

from __future__ import annotations

import json
import time
from pathlib import Path

from raymon.cli.status_text import status_lines
from raymon.reporter import Cursor, Progress
from raymon.results import AttemptBegan, Finding, Published, RankState
from raymon.sinks import Console
from raymon.training.on_demand.run_status import asked_status, kept_status, told_status


class Reporter:
    """A reporter that has begun an attempt, and answers nothing else."""

    def __init__(self, is_silent: bool) -> None:
        self._is_silent = is_silent

    def published(self, since: Cursor | None) -> tuple[list[Published], Cursor]:
        return ([AttemptBegan(3, 2, 40)] if since is None else []), ("a", 1)

    def ranks(self) -> list[RankState]:
        if self._is_silent:
            raise TimeoutError
        return [RankState(0, 0.5, 42, 1, 0), RankState(1, 0.7, 41, 1, 0)]

    def findings(self) -> list[Finding]:
        return [Finding("straggler", "rank 1 is slow", rank=1)]


def live(directory: Path, reporter: Reporter) -> dict[str, object]:
    progress = Progress(reporter, Console(100, 1.0, None))
    # On the way out it asks once more.
    with progress:
        pass
    return asked_status(directory, 100, progress, reporter)


def test_a_run_without_numbers_yet_says_where_its_ranks_are(tmp_path: Path) -> None:
    status = live(tmp_path, Reporter(is_silent=False))
    assert (status["status"], status["attempt"], status["step"]) == ("running", 3, 42)
    assert "numbers" not in status
    text = "\n".join(status_lines(status))
    assert "42 of 100 (42.0 %)" in text
    assert "rank 1 is slow" in text
    # It has no rate, so it shows none.
    assert "it/s" not in text
    assert "left" not in text


def test_a_silent_reporter_keeps_nothing_of_what_the_driver_knows(tmp_path: Path) -> None:
    status = live(tmp_path, Reporter(is_silent=True))
    assert (status["attempt"], status["ranks"]) == (3, [])
    assert "does not answer: TimeoutError" in "\n".join(status_lines(status))


def test_a_killed_run_has_its_last_numbers(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"status": "running", "model_dir": "x"}))
    line = {"global_step": 70, "epoch": 1, "losses": {"total_loss": 0.25}, "metrics": {}}
    (tmp_path / "monitor").mkdir()
    (tmp_path / "monitor" / "windows.jsonl").write_text(json.dumps(line) + "\n{half")
    status = kept_status(tmp_path)
    assert (status["status"], status["step"]) == ("killed", 70)
    assert "total_loss 0.25000" in "\n".join(status_lines(status))
    assert kept_status(tmp_path, is_over=False)["status"] == "running"


def test_what_a_run_has_just_written_of_itself_is_its_status(tmp_path: Path) -> None:
    now = time.time()
    path = tmp_path / "monitor" / "live.json"
    path.parent.mkdir()
    told = {"status": "running", "step": 42, "time": now}
    path.write_text(json.dumps(told))
    assert told_status(tmp_path, 1e6) == {**told, "verdict": None}
    # Of a run that was killed, or of a clock that is far ahead.
    for wrong in (now - 2e6, now + 1e4, None):
        path.write_text(json.dumps({**told, "time": wrong}))
        assert told_status(tmp_path, 1e6) is None
    path.write_text("{half")
    assert told_status(tmp_path, 1e6) is None
    path.unlink()
    assert told_status(tmp_path, 1e6) is None
