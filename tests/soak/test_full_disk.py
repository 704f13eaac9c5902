"""Saves onto a disk that is really full: a small file system in memory. It needs root."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from raymon.training.checkpoint.manifest import find_corruption, list_checkpoints
from tests.checkpoints import saved_model
from tests.integration.conftest import start_raymon
from tests.integration.kills import finish, reported_step, wait_for, windows

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

SETTINGS = (
    "ray_config.num_workers=0",
    "train_config.num_epochs=80",
    "train_config.save_checkpoints_steps=20",
    "train_config.keep_checkpoint_max=1",
)


ROOM = 400_000
"""Bytes for lines and curves; a checkpoint has more."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def fill(ballast: Path, disk: Path) -> None:
    """Fills a disk that a run writes to meanwhile, but for `ROOM`."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while (left := shutil.disk_usage(disk).free - ROOM) > 0:
            file.write(bytes(min(left, 100_000)))


def test_a_full_disk_costs_checkpoints_and_nothing_else(
    config_file: Path, small_disk: Path, tmp_path: Path
) -> None:
    words = [word for setting in SETTINGS for word in ("--set", setting)]
    finish(start_raymon("train", config_file, *words, "--json"))
    alone, run = tmp_path / "run", small_disk / "run"
    training = start_raymon("train", config_file, *words, "--set", f"model_dir={run}", "--json")
    wait_for(lambda: bool(list_checkpoints(run)), training)
    # Room for lines and curves is left, but none for a checkpoint.
    ballast = small_disk / "ballast"
    fill(ballast, small_disk)
    begun = reported_step(run)
    wait_for(lambda: reported_step(run) >= begun + 100, training)
    ballast.unlink()
    output, errors = training.communicate(timeout=120)
    assert training.returncode == 0, errors
    summary = json.loads(output)
    for checkpoint in list_checkpoints(run):
        assert find_corruption(checkpoint) is None
    weights = [saved_model(list_checkpoints(r)[-1].path) for r in (run, alone)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])
    assert summary["save_counts"]["saves_failed"] > 0
    lines = [[line["metrics"] for line in windows(r)] for r in (run, alone)]
    assert lines[0] == lines[1]
    print(f"\na full disk: {summary['save_counts']}, every number equal")
