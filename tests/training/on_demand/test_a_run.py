"""A run in this process is asked for everything while it goes on, and goes on after a stop."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import raymon
from raymon.cli.status_text import status_lines
from raymon.errors import AnswerError, RunError
from raymon.reporter import Summary
from raymon.run_dir import read_lease
from raymon.training.loop import agreement
from raymon.training.on_demand import desk, mailbox
from raymon.training.on_demand.ask import ask
from raymon.training.on_demand.find_run import find_run
from raymon.training.on_demand.request import STACK, STATUS, Answer, Request
from raymon.training.on_demand.run_status import kept_status
from raymon.wire import PROFILE, STOP


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "LOOK_S", 0.02)
    monkeypatch.setattr(desk, "_LOOK_S", 0.02)
    monkeypatch.setattr(agreement, "ROUND_S", 0.1)


def settings(directory: Path, steps: int) -> list[str]:
    return [
        "ray_config.num_workers=0",
        f"train_config.num_steps={steps}",
        "train_config.save_checkpoints_steps=0",
        "data_config.batch_size=1000",
        "eval_config.num_steps=1",
        f"model_dir={directory}",
    ]


class GoingOn:
    """A run on a thread, which goes on until it is asked to stop."""

    def __init__(self, config: Path, directory: Path) -> None:
        self.directory = directory
        self.summary: Summary | None = None
        self._config = config
        self.thread = threading.Thread(target=self._train)
        self.thread.start()
        while read_lease(directory) is None:
            assert self.thread.is_alive()

    def ask(self, kind: str, **options: Any) -> Answer:
        assert self.thread.is_alive() or kind in (STATUS, STOP)
        return ask(self.directory, Request(kind, options), lambda: None)

    def stop(self) -> Answer:
        answer = self.ask(STOP)
        self.thread.join()
        return answer

    def _train(self) -> None:
        self.summary = raymon.train(self._config, settings(self.directory, 10_000_000))


def test_a_run_answers_and_stops_and_goes_on(config_file: Path) -> None:
    directory = config_file.parent / "run"
    run = GoingOn(config_file, directory)
    try:
        while "numbers" not in (status := run.ask(STATUS).result):
            assert status["status"] in ("starting", "running")
        _is_status(status)
        _is_trace(run.ask(PROFILE, steps=3, ranks=[], shapes=True))
        with pytest.raises(RunError, match="rank 0 alone"):
            run.ask(STACK, ranks=[1])
        with pytest.raises(RunError, match="ranks 0 to 0"):
            run.ask(PROFILE, steps=3, ranks=[1])
        assert "_train" in run.ask(STACK, ranks=[0]).result["0"]
    finally:
        answer = run.stop()
    summary = run.summary
    assert summary is not None
    assert summary.status == json.loads((directory / "run.json").read_text())["status"] == "stopped"
    assert f"step {summary.steps} is saved" in answer.text
    assert summary.eval_metrics == {}
    assert list((directory / "monitor" / "requests").iterdir()) == []
    for kind in (STOP, STATUS):
        with pytest.raises(AnswerError, match="the run is over"):
            run.ask(kind)
    kept = kept_status(directory)
    assert (kept["status"], kept["step"]) == ("stopped", summary.steps)
    assert f"step       {summary.steps:,}" in "\n".join(status_lines(kept))
    longer = raymon.train(config_file, settings(directory, summary.steps + 3), resume=True)
    assert (longer.status, longer.steps) == ("done", summary.steps + 3)


def _is_status(status: Mapping[str, Any]) -> None:
    assert (status["status"], status["total_steps"]) == ("running", 10_000_000)
    assert 0 < status["numbers"]["end_step"] <= status["step"]
    assert status["eta_s"] > 0
    assert [rank["rank"] for rank in status["ranks"]] == [0]
    assert "auc" in status["metrics"]
    text = "\n".join(status_lines(status))
    assert "of 10,000,000" in text
    assert "ranks:1/1" in text


def _is_trace(answer: Answer) -> None:
    path = Path(answer.result["path"])
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with gzip.open(path) as file:
        events = json.load(file)["traceEvents"]
    steps = [event for event in events if event["name"].startswith("ProfilerStep#")]
    assert len(steps) == 3
    names = [event["args"]["name"] for event in events if event["name"] == "process_name"]
    assert [name.split(" (")[0] for name in names] == ["rank 0"]


def test_a_directory_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nowhere: not the directory of a run.*model_dir"):
        find_run(str(tmp_path / "nowhere"), None)
    assert read_lease(tmp_path) is None


@pytest.mark.parametrize(("seconds", "text"), [(59.2, "59 s"), (3599, "1 h 0 min"), (90000, "1 d")])
def test_times_are_readable(seconds: float, text: str) -> None:
    from raymon.number_text import duration_text

    assert duration_text(seconds).startswith(text)
