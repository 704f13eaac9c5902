"""A driver is killed while a task of Ray scores its checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration import kills
from tests.integration.test_async_evaluation import BESIDE, SETTINGS, VALIDATION, lines

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


def test_a_driver_that_is_killed_leaves_no_checkpoint_without_its_score(
    ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for directory in (here, there):
        directory.mkdir()
    kills.finish(kills.start(here, click_log, ray_address, *SETTINGS))
    training = kills.start(there, click_log, ray_address, *BESIDE)
    kills.wait_for(lambda: bool(kills.processes(VALIDATION)), training)
    training.kill()
    training.communicate()
    kills.finish(kills.start(there, click_log, ray_address, *BESIDE, flags=["--resume"]))
    assert lines(there / "run") == lines(here / "run")
