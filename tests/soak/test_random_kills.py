"""Dozens of kills at random moments; the numbers stay those of a run that was left alone."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.checkpoints import saved_model
from tests.integration import test_kills
from tests.integration.test_kills import assert_same, finish, kill, processes, reported_step, start

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("RAYMON_SOAK_KILLS", "24"))
STEPS = 1200
LONG = ("train_config.num_epochs=60",)


def test_kills_at_random_moments_change_no_number(
    ray_address: str, click_log: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(test_kills, "STEPS", STEPS)
    seed = int(os.environ.get("RAYMON_SOAK_SEED", "0")) or time.time_ns()
    print(f"\nRAYMON_SOAK_SEED={seed}")
    rng = random.Random(seed)
    alone = tmp_path / "alone"
    alone.mkdir()
    finish(start(alone, click_log, ray_address, *LONG))
    kills = runs = 0
    while kills < KILLS:
        directory = tmp_path / str(runs)
        directory.mkdir()
        kills += _disturbed_run(rng, directory, click_log, ray_address)
        assert_same(directory / "run", alone / "run")
        runs += 1
        print(f"run {runs}: {kills} kills so far, every number equal")
    print(f"{kills} kills in {runs} runs changed no number")


def _disturbed_run(rng: random.Random, directory: Path, click_log: Path, address: str) -> int:
    run, more = directory / "run", [*LONG]
    if rng.random() < 0.3:
        more.append("monitor_config.node_reporters_above=1")
    training, kills = start(directory, click_log, address, *more), 0
    shown = -1
    while training.poll() is None:
        time.sleep(rng.uniform(0.2, 3.0))
        step = reported_step(run)
        # Not again before the run has gone on: else it would never end.
        if step == shown or training.poll() is not None or kills >= 8:
            continue
        victim = rng.choice(["reporter", "reporter", "worker", "both", "node", "driver"])
        if victim == "driver":
            training.kill()
            training.communicate()
            training = _resume(directory, click_log, address, more)
        elif not _kill(victim):
            continue
        kills, shown = kills + 1, step
        print(f"  {victim} killed at step {step}")
    summary = finish(training)
    assert summary["status"] == "done"
    assert summary["monitoring"]["windows_lost"] == 0
    assert summary["monitoring"]["steps_reported"] == STEPS
    return kills


def _resume(directory: Path, click_log: Path, address: str, more: list[str]) -> object:
    saved = any((directory / "run").glob("model.ckpt-*/manifest.json"))
    return start(directory, click_log, address, *more, flags=("--resume",) if saved else ())


def _kill(victim: str) -> bool:
    titles = {
        "reporter": ["ReportingActor"],
        "worker": ["RayTrainWorker"],
        "both": ["ReportingActor", "RayTrainWorker"],
        "node": ["NodeReportingActor"],
    }[victim]
    if not all(processes(title) for title in titles):
        return False
    for title in titles:
        kill(title)
    return True


def test_a_stopped_reporter_changes_no_step_time(
    ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    """Shown, not asserted, but that training goes on: clocks of a shared machine prove little."""
    times = {}
    for name in ("alone", "stopped"):
        directory = tmp_path / name
        directory.mkdir()
        training = start(directory, click_log, ray_address, *LONG)
        test_kills.wait_for(lambda d=directory: reported_step(d / "run") >= 200, training)
        if name == "stopped":
            (reporter,) = processes("ReportingActor")
            os.kill(reporter.pid, signal.SIGSTOP)
            before = reported_step(directory / "run")
            test_kills.wait_for(
                lambda d=directory: test_kills.saved_step(d / "run") >= STEPS, training
            )
            assert reported_step(directory / "run") == before
            os.kill(reporter.pid, signal.SIGCONT)
        finish(training)
        lines = test_kills.windows(directory / "run")
        spent = sum(line["phases"]["step"] for line in lines if line["global_step"] > 200)
        times[name] = 1e3 * spent / (STEPS - 200)
    assert_weights(tmp_path)
    print(f"\nms a step: {times['alone']:.2f} alone, {times['stopped']:.2f} reporter stopped")


def assert_weights(tmp_path: Path) -> None:
    import torch

    parts = [
        saved_model(tmp_path / name / "run" / f"model.ckpt-{STEPS}")
        for name in ("alone", "stopped")
    ]
    assert all(torch.equal(parts[0][name], parts[1][name]) for name in parts[1])
