"""Dozens of kills at random moments; the numbers stay those of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.checkpoints import saved_model
from tests.integration.kills import (
    assert_same,
    finish,
    processes,
    reported_step,
    saved_step,
    start,
    wait_for,
    windows,
)
from tests.integration.random_kills import VICTIMS, DisturbedRun

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("RAYMON_SOAK_KILLS", "50"))
KILLS_A_RUN = 10
STEPS = 1200
LONG = ("train_config.num_epochs=60",)


def test_kills_at_random_moments_change_no_number(
    ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    seed = int(os.environ.get("RAYMON_SOAK_SEED", "0")) or time.time_ns()
    print(f"\nRAYMON_SOAK_SEED={seed}")
    rng = random.Random(seed)
    finish(start(tmp_path, click_log, ray_address, *LONG))
    alone, killed, runs = tmp_path / "run", 0, 0
    while killed < KILLS:
        victims, more = [*VICTIMS], [*LONG]
        victims.remove("node")
        if rng.random() < 0.3:
            more.append("monitor_config.node_reporters_above=1")
            victims.append("node")
        runs += 1
        disturbed = DisturbedRun(tmp_path / str(runs), click_log, ray_address, more, rng)
        summary, by_name = disturbed.kill(rng.choice(victims) for _ in range(KILLS_A_RUN))
        assert_same(disturbed.run, alone, STEPS)
        assert summary["monitoring"]["windows_lost"] == 0
        assert summary["monitoring"]["steps_reported"] == STEPS
        killed += len(by_name)
        print(f"run {runs}: {killed} kills so far, every number equal")
    print(f"{killed} kills in {runs} runs changed no number")


def test_a_stopped_reporter_changes_no_step_time(
    ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    """Shows step times, and asserts only that training goes on: the machine is shared."""
    times = {}
    for name in ("alone", "stopped"):
        directory = tmp_path / name
        directory.mkdir()
        training = start(directory, click_log, ray_address, *LONG)
        wait_for(lambda d=directory: reported_step(d / "run") >= 200, training)
        if name == "stopped":
            (reporter,) = processes("ReportingActor")
            os.kill(reporter.pid, signal.SIGSTOP)
            before = reported_step(directory / "run")
            wait_for(lambda d=directory: saved_step(d / "run") >= STEPS, training)
            assert reported_step(directory / "run") == before
            os.kill(reporter.pid, signal.SIGCONT)
        finish(training)
        lines = windows(directory / "run")
        spent = sum(line["seconds"] for line in lines if line["global_step"] > 200)
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
