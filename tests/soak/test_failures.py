"""Workers that break or are killed, on a Ray of their own: one line says where, or by what."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import CONFIG
from tests.integration.kills import reported_step

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

METRICS = '''
import ctypes
import os
import time

import torch
from torchmetrics import Metric


class Base(Metric):
    """Counts its updates; in the 40th of rank 1 something happens."""

    def __init__(self):
        super().__init__()
        self.add_state("updates", torch.tensor(0), dist_reduce_fx="sum")
        self.calls = 0

    def update(self, preds, target):
        self.calls += 1
        if self.calls > 40 and os.environ.get("RANK") == "1":
            self.happen()
        self.updates += 1

    def compute(self):
        return self.updates.float()


class Crashes(Base):
    def happen(self):
        ctypes.string_at(0)


class Hoards(Base):
    kept = []

    def happen(self):
        self.kept.append(torch.ones(30_000_000))


class Raises(Base):
    def happen(self):
        raise ZeroDivisionError("of no use")


class Sleeps(Base):
    def happen(self):
        time.sleep(5)
'''


def line_of(text: str) -> int:
    return next(i for i, line in enumerate(METRICS.splitlines(), 1) if text in line)


class Run:
    """A run on two workers, with one more train metric."""

    def __init__(
        self, directory: Path, click_log: Path, *more: str, metric: str = "", **environment: str
    ) -> None:
        self.run = directory / "run"
        (directory / "my_metrics.py").write_text(METRICS)
        config = CONFIG.format(data=click_log, model_dir=self.run)
        if metric:
            added = f'  train_metrics {{ custom_metric {{ name: "my_metrics:{metric}" }} }}\n'
            config = config.replace("  train_metrics {", f"{added}  train_metrics {{", 1)
        (directory / "click.config").write_text(config)
        settings = [word for setting in more for word in ("--set", setting)]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "raymon.cli", "train", "click.config"),
                *("--allow-custom-classes", *settings),
            ],
            cwd=directory,
            env={
                **{k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"},
                **environment,
                "PYTHONPATH": f"{directory}:{Path.cwd()}",
            },
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def wait_for(self, step: int) -> None:
        while reported_step(self.run) < step:
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)

    def kill_worker(self, number: int) -> int:
        """Sends a signal to a worker; returns its process id."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            if child.cmdline()[:1] and child.cmdline()[0].startswith("ray::RayTrainWorker"):
                os.kill(child.pid, number)
                return child.pid
        raise AssertionError("no worker")

    def end(self) -> list[str]:
        """The lines on the terminal."""
        _, errors = self.process.communicate(timeout=200)
        print(errors)
        return errors.splitlines()

    def failure(self, attempt: int = 1) -> str:
        return (self.run / "monitor" / f"failure-{attempt}.txt").read_text()


def test_a_worker_killed_by_sigkill_is_told_with_its_memory(
    tmp_path: Path, click_log: Path
) -> None:
    run = Run(tmp_path, click_log, "train_config.num_epochs=2000")
    run.wait_for(50)
    pid = run.kill_worker(signal.SIGKILL)
    *before, last = run.end()
    assert run.process.returncode == 1
    assert f"pid {pid}) was killed by SIGKILL, or ended itself by os._exit; it had " in last
    assert f"details are in {run.run}/monitor/failure-1.txt" in last
    # Nothing of what Ray says of it is on the terminal.
    assert not [line for line in before if "health check" in line or "Traceback" in line]
    assert "Worker exit type" in run.failure()
    assert "Memory of the ranks, MB, by step" in run.failure()
    assert json.loads((run.run / "run.json").read_text())["error"] in last


def test_a_crash_in_native_code_names_the_line_of_the_user_and_the_run_goes_on(
    tmp_path: Path, click_log: Path
) -> None:
    more = ("ray_config.max_failures=1", "train_config.num_epochs=20")
    run = Run(tmp_path, click_log, *more, metric="Crashes")
    lines = run.end()
    place = f"my_metrics.py:{line_of('ctypes.string_at')} in happen"
    told = [line for line in lines if "was ended by SIGSEGV" in line]
    # The second attempt crashes too, and is the last.
    assert len(told) == 2
    assert all(place in line and "rank 1 (" in line for line in told)
    assert "WARNING Attempt 1 failed: " in told[0]
    assert told[1] == lines[-1]
    assert "Fatal Python error: Segmentation fault" in run.failure(2)


def test_a_worker_that_ray_ends_as_memory_runs_out_is_told(tmp_path: Path, click_log: Path) -> None:
    memory = psutil.virtual_memory()
    threshold = (memory.total - memory.available + 4e9) / memory.total
    run = Run(
        tmp_path,
        click_log,
        "train_config.num_epochs=2000",
        metric="Hoards",
        RAY_memory_usage_threshold=f"{threshold:.4f}",
        RAY_memory_monitor_refresh_ms="100",
    )
    last = run.end()[-1]
    # Ray may end the processes that watch the workers too, and first.
    assert "was ended by Ray, as memory ran out: " in last
    assert re.search(r"(rank \d .*most by process \d+, ray::|the controller of Ray Train) ?", last)


def test_a_train_metric_that_raises_or_sleeps_costs_only_itself(
    tmp_path: Path, click_log: Path
) -> None:
    place = f"my_metrics.py:{line_of('of no use')} in happen)"
    said = {
        "Raises": ("ZeroDivisionError: of no use (", place),
        "Sleeps": ("it is slow: an update takes more than ",),
    }
    for kind, parts in said.items():
        directory = tmp_path / kind
        directory.mkdir()
        run = Run(directory, click_log, "train_config.num_epochs=10", metric=kind)
        lines = run.end()
        assert run.process.returncode == 0
        named = [line for line in lines if f"{kind} has no value: rank 1: " in line]
        assert all(part in named[0] for part in parts)
        # That is all that is said of it until the summary.
        assert len(named) <= 2
        assert not [line for line in lines if "on a worker: train metric" in line]
        path = run.run / "monitor" / "windows.jsonl"
        windows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [window["global_step"] for window in windows] == list(range(10, 201, 10))
        assert all(window["metrics"]["auc"] is not None for window in windows)
        assert windows[-1]["metrics"][kind] is None
        assert windows[-1]["no_value"][kind].startswith("rank 1: ")
