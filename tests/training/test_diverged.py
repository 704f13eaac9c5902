"""A run whose losses are NaN to the end, through the command line, in this process."""

import json
from pathlib import Path
from typing import Any

import pytest

import raymon
from raymon.cli.main import main

EXPLODES = "train_config.dense_optimizer={sgd_optimizer {lr: 1e30} constant_learning_rate {}}"
SETTINGS = (
    "ray_config.num_workers=0",
    "train_config.num_steps=20",
    "train_config.log_step_count_steps=5",
)


def strictly(text: str) -> Any:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def train(config_file: Path, *words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    chosen = [word for setting in SETTINGS for word in ("--set", setting)]
    monkeypatch.setattr("sys.argv", ["raymon", "train", str(config_file), *chosen, *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_run_that_diverges_says_so_everywhere(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train(config_file, "--set", EXPLODES, "--json", monkeypatch=monkeypatch) == 1
    output, errors = capsys.readouterr()
    run = config_file.parent / "run"
    summary = strictly((run / "run.json").read_text())
    assert strictly(output.splitlines()[-1]) == summary
    assert (summary["status"], summary["steps"]) == ("diverged", 20)
    assert summary["diverged_since"] in (0, 5)
    assert summary["train_metrics"]["total_loss"] is None
    assert summary["best_checkpoint"] is None
    # Once when it begins and once at the end, however many windows are lost.
    assert errors.count("losses that are NaN or infinite") == 1
    assert errors.count("ERROR Diverged: the losses are NaN or infinite from step") == 1
    assert "Traceback" not in errors
    # The names of the learning rates are logged once.
    assert errors.count("INFO lr_g0: embedding tables, lr_g1: dense parameters") == 1
    lines = [strictly(line) for line in (run / "monitor" / "windows.jsonl").open()]
    assert lines[-1]["losses"]["total_loss"] is None
    for scores in (run / "train_eval_result_v2.txt").open():
        assert strictly(scores)["total_loss"] is None
    # With no step left to make it still counts as diverged; in Python that is not an error.
    assert train(config_file, "--set", EXPLODES, "--resume", monkeypatch=monkeypatch) == 1
    assert "diverged: " in capsys.readouterr().out
    idle = raymon.train(config_file, [*SETTINGS, EXPLODES], resume=True)
    assert idle.status == "diverged"
