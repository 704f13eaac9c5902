"""Every model that ships has float32 predictions and losses under CUDA's autocast."""

import os
import subprocess

from tests.installed import python_of_tests


def test_all_models_go_forward_by_the_rules_of_cuda() -> None:
    # As in the tests of metrics, a GPU would make constants before they are seen.
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [python_of_tests(), "-m", "tests.models.cuda_autocast"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, env=hidden)
    assert finished.stdout.strip() == "", finished.stdout
    assert finished.returncode == 0, finished.stderr
