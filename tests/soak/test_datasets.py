"""A worker dies while it reads a custom dataset; the run goes on at the same row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import raymon
from raymon.training.checkpoint.manifest import list_checkpoints
from tests.checkpoints import saved_model
from tests.soak.deadly_log import Log

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

ROWS = 10_000


def test_a_worker_that_dies_goes_on_where_its_dataset_was(
    config_file: Path, click_log: Path, ray_address: str, tmp_path: Path
) -> None:
    deadly = tmp_path / "deadly"
    deadly.touch()
    runs = []
    for name, kills in (("undisturbed", None), ("killed", deadly)):
        overrides: dict[str, Any] = {
            "model_dir": str(tmp_path / name),
            "train_config.save_checkpoints_steps": 7,
            "data_config.num_workers": 0,
            "ray_config.max_failures": 1,
        }
        datasets = {"train": Log(click_log / "train", kills)}
        runs.append(raymon.train(config_file, overrides, datasets=datasets))
    assert not deadly.exists()
    undisturbed, killed = runs
    assert (undisturbed.restarts, killed.restarts) == (0, 1)
    assert undisturbed.samples == killed.samples == 2 * ROWS
    assert undisturbed.train_metrics == killed.train_metrics
    states = [saved_model(list_checkpoints(Path(run.model_dir))[-1].path) for run in runs]
    for weight_name, weight in states[0].items():
        assert torch.equal(weight, states[1][weight_name]), weight_name
    print("\na worker that died in its dataset changed no weight")
