"""`--resume-if-any`: what a scheduler starts again goes on, and what it starts first begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raymon.cli.main import main


@pytest.fixture
def train(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(steps: int, *more: str) -> int:
        words = ["raymon", "train", str(config_file), "--num-workers", "0", *more]
        words += ["--set", "train_config.num_epochs=", "--set", f"train_config.num_steps={steps}"]
        words += ["--set", "train_config.save_checkpoints_steps=2"]
        words += ["--set", "eval_config.num_steps=1", "--set", "train_config.use_tensorboard=false"]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_the_same_command_begins_a_run_and_goes_on_with_it(train: Any, config_file: Path) -> None:
    assert train(2, "--resume-if-any") == 0
    assert train(4, "--resume-if-any") == 0
    summary = json.loads((config_file.parent / "run" / "run.json").read_text())
    assert (summary["status"], summary["steps"], len(summary["attempts"])) == ("done", 4, 2)
    assert train(4) == 2
