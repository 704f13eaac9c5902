"""Processes of a run are killed while it trains; its numbers are those of a run left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.training.checkpoint import list_checkpoints
from tests.checkpoints import saved_model
from tests.conftest import CONFIG
from tests.integration.conftest import start_raymon

STEPS, SAVED_EVERY = 400, 80
SETTINGS = (
    "train_config.num_epochs=20",
    f"train_config.save_checkpoints_steps={SAVED_EVERY}",
    "train_config.keep_checkpoint_max=0",
    "ray_config.max_failures=-1",
    "monitor_config.log_level=INFO",
)


def start(
    directory: Path, click_log: Path, address: str, *more: str, flags: Sequence[str] = ()
) -> subprocess.Popen[str]:
    config = directory / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=directory / "run"))
    settings = [word for setting in (*SETTINGS, *more) for word in ("--set", setting)]
    return start_raymon("train", config, *settings, "--json", *flags, address=address)


def finish(process: subprocess.Popen[str]) -> dict:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(output)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def processes(title: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"]
        if words and words[0].startswith(f"ray::{title}"):
            found.append(process)
    return found


def kill(title: str) -> None:
    victims = processes(title)
    assert victims, title
    os.kill(victims[0].pid, signal.SIGKILL)


def reported_step(run: Path) -> int:
    path = run / "monitor" / "windows.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    try:
        return json.loads(lines[-1])["global_step"] if lines else 0
    except ValueError:  # half a line, just now
        return 0


def saved_step(run: Path) -> int:
    return max((checkpoint.step for checkpoint in list_checkpoints(run)), default=0)


@pytest.fixture(scope="module")
def undisturbed(ray_address: str, click_log: Path, tmp_path_factory) -> tuple[Path, dict]:
    directory = tmp_path_factory.mktemp("left_alone")
    return directory / "run", finish(start(directory, click_log, ray_address))


def assert_same(run: Path, other: Path) -> None:
    """All that readers see of both runs is the same, but for times."""
    newest = [list_checkpoints(r)[-1] for r in (run, other)]
    weights = [saved_model(c.path) for c in newest]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])
    lines = [windows(r) for r in (run, other)]
    assert [line["global_step"] for line in lines[0]] == list(range(10, STEPS + 1, 10))
    for line, expected in zip(*lines, strict=True):
        for name in ("global_step", "first_step", "samples", "samples_total", "losses", "metrics"):
            assert line[name] == expected[name], (line["global_step"], name)
    scores = [(r / "train_eval_result_v2.txt").read_text() for r in (run, other)]
    assert scores[0] == scores[1]
    for directory, tag in ((".", "metric/auc"), (".", "loss/total"), ("eval_val", "metric/auc")):
        curves = [EventAccumulator(str(r / directory)).Reload().Scalars(tag) for r in (run, other)]
        points = [[(point.step, point.value) for point in curve] for curve in curves]
        assert points[0] == points[1], (directory, tag)


def windows(run: Path) -> list[dict]:
    path = run / "monitor" / "windows.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_reporter_worker_and_both_are_killed_and_no_number_changes(
    undisturbed, ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    training = start(tmp_path, click_log, ray_address)
    wait_for(lambda: reported_step(run) >= 30, training)
    kill("ReportingActor")
    # Training does not wait for the reporter, so this one may die before that one is back.
    wait_for(lambda: saved_step(run) >= 2 * SAVED_EVERY, training)
    kill("RayTrainWorker")
    wait_for(lambda: saved_step(run) >= 3 * SAVED_EVERY, training)
    wait_for(lambda: bool(processes("ReportingActor")), training)
    kill("ReportingActor")
    kill("RayTrainWorker")
    summary = finish(training)
    assert_same(run, undisturbed[0])
    assert summary["status"] == "done"
    assert summary["restarts"] == 2
    assert summary["monitoring"]["windows_lost"] == 0
    assert summary["monitoring"]["steps_reported"] == STEPS
    assert summary["samples"] == undisturbed[1]["samples"]
    assert summary["monitoring"]["windows"] == undisturbed[1]["monitoring"]["windows"]


def test_reporters_on_nodes_change_no_number(
    undisturbed, ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    training = start(tmp_path, click_log, ray_address, "monitor_config.node_reporters_above=1")
    wait_for(lambda: reported_step(tmp_path / "run") >= 100, training)
    # Its ranks go on without it.
    kill("NodeReportingActor")
    summary = finish(training)
    assert_same(tmp_path / "run", undisturbed[0])
    assert summary["monitoring"]["windows_lost"] == 0
