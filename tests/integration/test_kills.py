"""Processes of a run are killed while it trains; its numbers are those of an undisturbed run."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.integration.kills import assert_same
from tests.integration.random_kills import DisturbedRun


@pytest.mark.parametrize(
    "victims",
    [
        # The driver is killed in `test_train.py`, and at random moments in the soak.
        ["both", "controller"],
        pytest.param(
            ["reporter", "worker", "both", "controller", "driver"], marks=pytest.mark.soak
        ),
    ],
)
def test_kills_at_random_moments_change_no_number(
    left_alone: tuple[Path, dict],
    ray_address: str,
    click_log: Path,
    tmp_path: Path,
    victims: list[str],
) -> None:
    seed = int(os.environ.get("RAYMON_KILLS_SEED", "0")) or time.time_ns()
    print(f"\nRAYMON_KILLS_SEED={seed}")
    rng = random.Random(seed)
    victims = [*victims]
    rng.shuffle(victims)
    # A fast machine ends a run before all of them; whoever is left is killed in a further one.
    for run in range(2 * len(victims)):
        if not victims:
            break
        directory = tmp_path / str(run)
        disturbed = DisturbedRun(directory, click_log, ray_address, (), rng)
        summary, killed = disturbed.kill(iter(victims))
        assert_same(disturbed.run, left_alone[0])
        assert summary["status"] == "done"
        assert summary["samples"] == left_alone[1]["samples"]
        for name in ("windows_lost", "steps_reported", "windows"):
            assert summary["monitoring"][name] == left_alone[1]["monitoring"][name], name
        del victims[: len(killed)]
    assert not victims
