"""A run that is read while it goes on, is killed and resumed, is read as it is at its end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from raymon import Run, RunError

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SAVE, KILLED_PAST = 100, 250


def start(data: Path, run: Path, *more: str) -> subprocess.Popen[bytes]:
    settings = {
        "train_input_path": data / "train",
        "eval_input_path": data / "eval",
        "model_dir": run,
        "train_config.save_checkpoints_steps": SAVE,
        "train_config.log_step_count_steps": 10,
    }
    given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "raymon", "train", "raymon/examples/demo.config"]
    with run.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--num-workers", "0", *given, *more], cwd=ROOT, stdout=log, stderr=log
        )


def first_look(path: Path, process: subprocess.Popen[bytes]) -> Run:
    while True:
        try:
            return Run(path)
        except RunError:
            assert process.poll() is None
            time.sleep(0.05)


def test_what_is_read_in_steps_while_a_run_is_killed_and_resumed_is_what_is_there(
    tmp_path: Path,
) -> None:
    data, path = tmp_path / "data", tmp_path / "run"
    subprocess.run([sys.executable, "-m", "raymon.data.synthetic", data], cwd=ROOT, check=True)
    process = start(data, path)
    run, kills = first_look(path, process), 0
    statuses, steps = set[str](), set[float]()
    while process.poll() is None:
        run.refresh()
        statuses.add(run.status)
        newest = run.series.last("global_step")
        steps.add(newest)
        assert len(run.series) == len(run.series.step)
        assert (np.diff(run.series.step) > 0).all()
        assert len(run.rank_lines) <= len(run.series) + 1
        if newest > KILLED_PAST + 400 * kills and kills < 2:
            process.kill()
            process.wait()
            kills += 1
            run.refresh()
            assert run.status == "killed"
            process = start(data, path, "--resume")
        time.sleep(0.05)
    assert (process.returncode, kills) == (0, 2)
    run.refresh()
    whole = Run(path)
    assert run.status == whole.status == "done"
    assert "running" in statuses
    assert len(steps) > 20
    assert set(run.series.names) == set(whole.series.names)
    for name in whole.series.names:
        np.testing.assert_array_equal(run.series.column(name), whole.series.column(name))
    scores, expected = run.evaluation_series, whole.evaluation_series
    assert scores.step.tolist() == expected.step.tolist()
    for name in expected.names:
        np.testing.assert_array_equal(scores.column(name), expected.column(name))
    assert [line.end_step for line in run.rank_lines] == [
        line.end_step for line in whole.rank_lines
    ]
    assert run.checkpoints == whole.checkpoints
    assert run.marks == whole.marks
    begins = [mark for mark in run.marks if mark.kind in ("restart", "roll_back")]
    assert len(begins) == 2
    assert all(mark.step % SAVE == 0 for mark in begins)
    assert run.config == whole.config
    assert run.notes == []
