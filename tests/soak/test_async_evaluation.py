"""A driver is killed while a task of Ray scores its checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration import kills
from tests.integration.test_killed_helpers import ASYNC, VALIDATION, lines

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


def test_a_driver_that_is_killed_leaves_no_checkpoint_without_its_score(
    left_alone: tuple[Path, dict], ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    training = kills.start(tmp_path, click_log, ray_address, *ASYNC)
    kills.wait_for(lambda: bool(kills.processes(VALIDATION)), training)
    training.kill()
    training.communicate()
    kills.finish(kills.start(tmp_path, click_log, ray_address, *ASYNC, flags=["--resume"]))
    assert lines(tmp_path / "run") == lines(left_alone[0])
