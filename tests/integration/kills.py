"""Runs whose processes are killed, and what must not change by it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.checkpoints import saved_model
from tests.conftest import CONFIG
from tests.integration.conftest import start_raymon

EPOCHS, STEPS = 20, 400
SAVED_EVERY = 80
SETTINGS = (
    f"train_config.num_epochs={EPOCHS}",
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
    """Returns the processes of the Ray cluster that this process has started, by their title."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            words = process.cmdline()
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


def assert_same(run: Path, other: Path, steps: int = STEPS) -> None:
    """Asserts that everything that readers see is the same in both runs, except for times."""
    assert_same_training(run, other, steps)
    scores = [(r / "train_eval_result_v2.txt").read_text() for r in (run, other)]
    assert scores[0] == scores[1]
    shown = [
        sorted(
            ({**json.loads(line), "time": None, "seconds": None} for line in path.open()),
            key=lambda line: line["global_step"],
        )
        for path in (r / "monitor/evaluations.jsonl" for r in (run, other))
    ]
    assert shown[0] == shown[1]
    assert_same_curve(run, other, "eval_val", "metric/auc")


def assert_same_training(run: Path, other: Path, steps: int = STEPS) -> None:
    """Asserts that weights and the numbers of training are the same in both runs."""
    newest = [list_checkpoints(r)[-1] for r in (run, other)]
    weights = [saved_model(c.path) for c in newest]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])
    lines = [windows(r) for r in (run, other)]
    found = [line["global_step"] for line in lines[0]]
    missing = sorted(set(range(10, steps + 1, 10)) - set(found))
    assert not missing, f"{run}: no lines of {missing}"
    assert found == list(range(10, steps + 1, 10))
    for line, expected in zip(*lines, strict=True):
        for name in ("global_step", "first_step", "samples", "samples_total", "losses", "metrics"):
            assert line[name] == expected[name], (line["global_step"], name)
    for tag in ("metric/auc", "loss/total"):
        assert_same_curve(run, other, ".", tag)


def assert_same_curve(run: Path, other: Path, directory: str, tag: str) -> None:
    """Asserts that a curve of TensorBoard is the same in both runs."""
    curves = [EventAccumulator(str(r / directory)).Reload().Scalars(tag) for r in (run, other)]
    points = [[(point.step, point.value) for point in curve] for curve in curves]
    assert points[0] == points[1], (directory, tag)


def windows(run: Path) -> list[dict]:
    path = run / "monitor" / "windows.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]
