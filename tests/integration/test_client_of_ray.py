"""A driver elsewhere, by Ray Client: `--address ray://HEAD:PORT`."""

import json
import subprocess
from pathlib import Path

from tests.installed import installed_python
from tests.soak.heads import started_head


def test_a_run_goes_through_the_client_of_ray(tmp_path: Path, config_file: Path) -> None:
    with started_head(tmp_path, with_token=False, num_cpus=2) as head:
        words = ["train", config_file.name, "--json", "--address", head.client]
        words += ["--num-workers", "1", "--set", "train_config.num_epochs=1"]
        finished = subprocess.run(
            [installed_python(), "-m", "raymon.cli", *words],
            cwd=config_file.parent, env=head.environment, text=True, capture_output=True,
            timeout=500,
        )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    summary = json.loads(finished.stdout)
    assert (summary["status"], summary["steps"]) == ("done", 40)
    assert summary["monitoring"]["windows_lost"] == 0
    assert "Training Epoch 0: 40it" in finished.stderr
