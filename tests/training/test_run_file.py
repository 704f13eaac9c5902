"""`run.json` is true from the begin of a run to its end, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import raymon
from raymon.errors import UserError
from raymon.training.loop.loop import Loop
from raymon.training.on_ray import cluster
from tests.installed import installed_python


def settings(directory: Path, *more: str) -> list[str]:
    return [
        "ray_config.num_workers=0",
        "train_config.num_epochs=",
        "train_config.num_steps=20",
        "train_config.save_checkpoints_steps=10",
        "train_config.log_step_count_steps=5",
        "eval_config.num_steps=1",
        f"model_dir={directory}",
        *more,
    ]


def read(directory: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((directory / "run.json").read_text())
    return known


def spans(summary: dict[str, Any]) -> list[tuple[int, int, int | None]]:
    return [(each["attempt"], each["step"], each["end_step"]) for each in summary["attempts"]]


@pytest.fixture
def directory(config_file: Path) -> Path:
    return config_file.parent / "run"


def raise_at(monkeypatch: pytest.MonkeyPatch, step: int, error: BaseException) -> None:
    original = Loop._step

    def step_or_raise(self: Loop, *arguments: object) -> None:
        if self._state.step == step:
            raise error
        original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", step_or_raise)


def test_a_run_that_is_done_says_so_and_what_is_refused_then_leaves_it(
    config_file: Path, directory: Path
) -> None:
    began = time.time()
    summary = raymon.train(config_file, settings(directory))
    known = read(directory)
    assert (known["status"], known["error"]) == ("done", None)
    assert began <= known["start"] <= known["attempts"][0]["time"] <= known["end"] <= time.time()
    assert known["updated"] == known["end"] == summary.end
    assert known["version"] == raymon.__version__
    assert (known["steps"], known["total_steps"], known["workers"]) == (20, 20, 1)
    assert spans(known) == [(1, 0, 20)]
    assert known["attempts"][0]["failure"] is None
    # By the layers of the config: users, items and interests are in two groups of tables.
    tables = known["embedding_tables"]
    assert known["parameters"]["embedding"] == sum(t["rows"] * t["dim"] for t in tables)
    deep = 3 * 8 + 1
    mlp = (deep * 16 + 16) + (16 * 8 + 8)
    assert known["parameters"]["dense"] > mlp
    assert not (directory / "monitor" / "live.json").exists()
    _refused_runs_leave_it(config_file, directory)


def _refused_runs_leave_it(config_file: Path, directory: Path) -> None:
    before = (directory / "run.json").read_bytes()
    with pytest.raises(UserError, match="--resume"):
        raymon.train(config_file, settings(directory))
    other = settings(directory, "model_config.deepfm.deep.hidden_units=[4]")
    with pytest.raises(UserError, match="does not fit"):
        raymon.train(config_file, other, resume=True)
    assert (directory / "run.json").read_bytes() == before


def test_a_run_that_failed_has_its_reason_and_one_that_goes_on_follows_on(
    config_file: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_at(monkeypatch, 13, RuntimeError("power cut"))
    with pytest.raises(raymon.TrainingError) as failed:
        raymon.train(config_file, settings(directory))
    first = read(directory)
    assert (first["status"], first["error"]) == ("failed", str(failed.value))
    assert first["end"] is not None
    assert "power cut" in first["attempts"][0]["failure"]
    monkeypatch.undo()
    seen: list[dict[str, Any]] = []
    original = Loop._step

    def looking(self: Loop, *arguments: object) -> None:
        seen.append(read(directory))
        original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", looking)
    raymon.train(config_file, settings(directory), resume=True)
    # From its first step on it goes on, and keeps the numbers that it had.
    assert (seen[0]["status"], seen[0]["end"], seen[0]["error"]) == ("running", None, None)
    assert seen[0]["eval_metrics"] == first["eval_metrics"]
    last = read(directory)
    assert last["start"] == first["start"] == seen[0]["start"]
    assert last["attempts"][0] == first["attempts"][0]
    assert spans(last) == [(1, 0, 13), (2, 10, 20)]
    assert (last["status"], last["error"], last["restarts"]) == ("done", None, 1)


def test_a_run_that_waits_for_its_cluster_is_there_and_one_that_is_refused_there_is_not(
    config_file: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []

    def refuse(address: str | None) -> None:
        seen.append(read(directory))
        raise UserError("no cluster there")

    monkeypatch.setattr(cluster, "connect", refuse)
    on_ray = settings(directory, "ray_config.num_workers=2")
    with pytest.raises(UserError, match="no cluster there"):
        raymon.train(config_file, on_ray)
    assert (seen[0]["status"], seen[0]["end"]) == ("running", None)
    assert not (directory / "run.json").exists()
    directory.mkdir(exist_ok=True)
    (directory / "run.json").write_text('{"status": "failed", "of": "an earlier run"}')
    with pytest.raises(UserError, match="no cluster there"):
        raymon.train(config_file, on_ray)
    assert seen[1]["status"] == "running"
    assert read(directory) == {"status": "failed", "of": "an earlier run"}


def test_an_interrupted_run_is_over(
    config_file: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_at(monkeypatch, 13, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        raymon.train(config_file, settings(directory))
    known = read(directory)
    assert (known["status"], known["error"], known["steps"]) == ("interrupted", None, 10)
    assert spans(known) == [(1, 0, 13)]
    assert known["attempts"][0]["failure"] is None
    assert known["end"] == known["updated"]


def test_a_killed_run_has_its_numbers_and_where_its_attempt_ended(
    config_file: Path, directory: Path
) -> None:
    words = settings(directory, "train_config.num_steps=1000000")
    command = [installed_python(), "-m", "raymon.cli", "train", str(config_file)]
    for word in words:
        command += ["--set", word]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not _has_numbers(directory):
            assert process.poll() is None
            time.sleep(0.02)
        live = json.loads((directory / "monitor" / "live.json").read_text())
        os.kill(process.pid, signal.SIGKILL)
    killed = read(directory)
    assert (killed["status"], killed["end"], killed["error"]) == ("running", None, None)
    assert killed["steps"] > 0
    assert killed["samples"] > 0
    assert spans(killed) == [(1, 0, None)]
    assert live["status"] in ("starting", "running")
    assert killed["start"] < live["time"]
    lines = (directory / "monitor" / "windows.jsonl").read_text().splitlines()
    reached = json.loads(lines[-1])["global_step"]
    saved = max(int(path.name.split("-")[1]) for path in directory.glob("model.ckpt-*")
                if (path / "manifest.json").is_file())  # fmt: skip
    longer = settings(directory, f"train_config.num_steps={saved + 5}")
    raymon.train(config_file, longer, resume=True)
    known = read(directory)
    assert known["start"] == killed["start"]
    assert spans(known) == [(1, 0, reached), (2, saved, saved + 5)]
    assert "killed" in known["attempts"][0]["failure"]
    assert not (directory / "monitor" / "live.json").exists()


def _has_numbers(directory: Path) -> bool:
    try:
        is_running = read(directory)["steps"] > 0
    except FileNotFoundError:
        return False
    return is_running and any(directory.glob("model.ckpt-*/manifest.json"))
