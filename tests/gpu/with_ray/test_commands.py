"""The commands on Ray with a GPU: train, go on, evaluate, export, predict, score beside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import roc_auc_score

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.conftest import CONFIG

pytestmark = pytest.mark.gpu

STEPS = 40
"""Two epochs of 10,000 rows, 512 a step."""


def raymon(*arguments: object) -> str:
    """Runs a command on Ray, which it starts; returns what it prints."""
    environment = {**os.environ, "RAYMON_LOG_LEVEL": "WARNING"}
    environment.pop("RAY_ADDRESS", None)
    command = [sys.executable, "-m", "raymon.cli", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def summary_of(output: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output[output.index("{") :])
    return found


@pytest.fixture(scope="module")
def trained(
    click_log: Path, tmp_path_factory: pytest.TempPathFactory, on_gpu: str
) -> tuple[Path, dict[str, Any]]:
    """A run in BF16 that stopped halfway and went on: its directory and its summary."""
    directory = tmp_path_factory.mktemp("trained")
    config = directory / "click.config"
    text = CONFIG.format(data=click_log, model_dir=directory / "run")
    text = text.replace("num_workers: 2", f"num_workers: 1 {on_gpu}")
    text = text.replace("batch_size: 256", "batch_size: 512")
    config.write_text(text.replace("train_config {", 'train_config { mixed_precision: "BF16"'))
    half = f"train_config.num_steps={STEPS // 2}"
    summary_of(raymon("train", config, "--json", "--set", half))
    return directory / "run", summary_of(raymon("train", config, "--json", "--resume"))


def test_a_run_stops_and_goes_on(trained: tuple[Path, dict[str, Any]]) -> None:
    run, summary = trained
    assert (summary["status"], summary["steps"]) == ("done", STEPS)
    assert summary["samples"] == 20_000
    assert [c.step for c in list_checkpoints(run)][-1] == STEPS
    assert 0 < summary["eval_metrics"]["auc"] <= 1
    assert summary["monitoring"]["failures"] == 0
    lines = (run / "monitor" / "windows.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    assert last["ranks"] == last["world_size"] == 1
    assert (last["device_bytes"] or 0) > 0 or not torch.cuda.is_available()


def test_it_is_evaluated_exported_and_predicts(
    trained: tuple[Path, dict[str, Any]], click_log: Path, tmp_path: Path
) -> None:
    run, summary = trained
    again = summary_of(raymon("evaluate", run, "--json"))
    scores = again.get("metrics", again)
    assert scores["auc"] == pytest.approx(summary["eval_metrics"]["auc"], rel=1e-6)
    raymon("export", run, "--out", tmp_path / "model")
    raymon(
        "predict", tmp_path / "model", click_log / "eval", tmp_path / "s.parquet", "--keep=click"
    )
    table = pq.read_table(tmp_path / "s.parquet")
    auc = roc_auc_score(table["click"].to_numpy(), table["probs"].to_numpy())
    # The export scores in float32.
    assert summary["eval_metrics"]["auc"] == pytest.approx(auc, abs=0.01)


def test_a_task_with_a_part_of_the_gpu_scores_checkpoints_beside_a_run(
    click_log: Path, tmp_path: Path, on_gpu: str
) -> None:
    config = tmp_path / "click.config"
    text = CONFIG.format(data=click_log, model_dir=tmp_path / "run")
    gpu = 'key: "GPU" value: 0.5' if "true" in on_gpu else 'key: "CPU" value: 0.5'
    text = text.replace(
        "num_workers: 2", f"num_workers: 1 {on_gpu} resources_per_worker {{ {gpu} }}"
    )
    text += f"eval_config {{ mode: ASYNC resources {{ {gpu} }} }}\n"
    config.write_text(text)
    summary = summary_of(raymon("train", config, "--json"))
    assert summary["status"] == "done"
    checkpoints = list_checkpoints(tmp_path / "run")
    assert checkpoints
    assert all(0 < checkpoint.metrics["auc"] <= 1 for checkpoint in checkpoints)
