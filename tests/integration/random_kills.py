"""Kills of the processes of a run at random moments."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from raymon.training.checkpoint.manifest import find_corruption, list_checkpoints
from tests.integration import kills

VICTIMS = {
    "reporter": ("ReportingActor",),
    "worker": ("RayTrainWorker",),
    "both": ("ReportingActor", "RayTrainWorker"),
    "node": ("NodeReportingActor",),
    "controller": ("TrainController",),
    "driver": (),
}
"""Whom a kill takes, by the titles of their processes."""

_ENDS_THE_RUN = ("controller", "driver")


class DisturbedRun:
    """A run whose processes are killed while it goes on; what ends it is followed by `--resume`.

    Args:
        directory: Directory of its config and its `model_dir`.
        click_log: Directory of its data.
        address: Address of the Ray cluster.
        more: Settings of the config.
        rng: Generator of the moments of kills.
    """

    def __init__(
        self,
        directory: Path,
        click_log: Path,
        address: str,
        more: Sequence[str],
        rng: random.Random,
    ) -> None:
        directory.mkdir(exist_ok=True)
        self.run = directory / "run"
        self._start = lambda *flags: kills.start(directory, click_log, address, *more, flags=flags)
        self._rng = rng

    def kill(self, victims: Iterator[str]) -> tuple[dict, list[str]]:
        """Kills one victim after the other, each once the run has gone on since the one before.

        Returns:
            Summary of the run, and the victims that were killed before its end.
        """
        training, killed, shown = self._start(), [], -1
        victim = next(victims, None)
        while training.poll() is None:
            time.sleep(self._rng.uniform(0.02, 1.0))
            step = kills.reported_step(self.run)
            # Not again before the run has gone on: else it would never end.
            if victim is None or step == shown or training.poll() is not None:
                continue
            if not all(kills.processes(title) for title in VICTIMS[victim]):
                continue
            training = self._take(victim, training)
            print(f"  {victim} killed at step {step}")
            killed.append(victim)
            shown, victim = step, next(victims, None)
        return kills.finish(training), killed

    def _take(self, victim: str, training: subprocess.Popen[str]) -> subprocess.Popen[str]:
        for title in VICTIMS[victim]:
            kills.kill(title)
        if victim not in _ENDS_THE_RUN:
            return training
        if victim == "driver":
            training.kill()
        training.communicate(timeout=120)
        assert_sound(self.run)
        if training.returncode == 0:  # It had just ended.
            return training
        return self._start(*(["--resume"] if list_checkpoints(self.run) else []))


def assert_sound(run: Path) -> None:
    """Asserts that what looks like a checkpoint is one."""
    for checkpoint in list_checkpoints(run):
        assert find_corruption(checkpoint) is None, checkpoint.path
