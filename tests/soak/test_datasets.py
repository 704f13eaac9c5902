"""A worker dies while it reads a dataset of its own; the run goes on where that was."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import torch.distributed as dist

import raymon
from raymon.training.checkpoint import list_checkpoints
from tests.checkpoints import saved_model

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

ROWS = 10_000


class Log:
    """The rows of a rank of a log, in pieces; dies once, on rank 1, where a file says so."""

    def __init__(self, path: Path, deadly: Path | None = None) -> None:
        self.path = path
        self.deadly = deadly
        self.row = 0

    def __iter__(self) -> Iterator[pa.Table]:
        whole = pq.read_table(self.path)
        rank, world_size = dist.get_rank(), dist.get_world_size()
        own = whole.take(list(range(rank, len(whole), world_size)))
        while self.row < len(own):
            if rank == 1 and self.row > 3000 and self.deadly and self.deadly.exists():
                self.deadly.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            self.row += 100
            yield own.slice(self.row - 100, 100)
        self.row = 0

    def state_dict(self) -> dict[str, int]:
        return {"row": self.row}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.row = state["row"]


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
