"""A driver elsewhere, by Ray Client: `--address ray://HEAD:PORT`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.heads import started_head

pytestmark = pytest.mark.soak


def test_a_run_goes_through_the_client_of_ray(tmp_path: Path, config_file: Path) -> None:
    with started_head(tmp_path, with_token=False) as head:
        words = ["train", config_file.name, "--json", "--address", head.client]
        words += ["--num-workers", "1", "--set", "train_config.num_epochs=1"]
        finished = subprocess.run(
            [sys.executable, "-m", "raymon.cli", *words],
            cwd=config_file.parent, env=head.environment, text=True, capture_output=True,
            timeout=240,
        )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    summary = json.loads(finished.stdout)
    assert (summary["status"], summary["steps"]) == ("done", 40)
    assert summary["monitoring"]["windows_lost"] == 0
    assert "Training Epoch 0: 40it" in finished.stderr
