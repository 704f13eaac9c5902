"""A person deletes checkpoints, or all of a run's directory, while it goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.integration import kills
from tests.integration.conftest import run_raymon

EPOCHS, STEPS = 12, 240
SETTINGS = (
    f"train_config.num_epochs={EPOCHS}",
    "train_config.save_checkpoints_steps=20",
    "train_config.keep_checkpoint_max=2",
    "export_config.exporter_type=latest",
)


def test_a_run_goes_on_and_says_so(ray_address: str, click_log: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    training = kills.start(tmp_path, click_log, ray_address, *SETTINGS)
    kills.wait_for(lambda: kills.saved_step(run) > 0, training)
    first = list_checkpoints(run)[0]
    shutil.rmtree(first.path)
    kills.wait_for(lambda: kills.saved_step(run) >= first.step + 80, training)
    # At once, where deleting would meet what is written meanwhile.
    run.rename(tmp_path / "away")
    output, errors = training.communicate(timeout=300)
    assert training.returncode == 0, errors
    summary = json.loads(output)
    assert (summary["status"], summary["steps"]) == ("done", STEPS)
    # One or several at once, as fast as the run is.
    assert "deleted by somebody else; the run goes on" in errors
    assert "Path not found" not in errors
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [STEPS - 20, STEPS]
    resumed = run_raymon(
        *("train", tmp_path / "click.config", "--resume", "--num-workers", "0", "--json"),
        *("--set", f"train_config.num_epochs={EPOCHS + 1}"),
    )
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["steps"] > STEPS
