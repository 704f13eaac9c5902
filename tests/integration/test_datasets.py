"""Datasets in the place of files, on Ray with 2 workers."""

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

ROWS = 10_000


def test_every_row_of_ray_data_is_trained_on_once_an_epoch(
    config_file: Path, click_log: Path, ray_address: str
) -> None:
    import ray.data

    def evaluation(rank: int, world_size: int) -> Iterator[pa.Table]:
        table = pq.read_table(click_log / "eval")
        yield table.take(list(range(rank, len(table), world_size)))

    train = ray.data.read_parquet(str(click_log / "train"))
    summary = raymon.train(config_file, datasets={"train": train, "eval": evaluation})
    assert (summary.status, summary.samples, summary.epochs) == ("done", 2 * ROWS, 2)
    # The same scores come from the files, whichever rank has which of the rows.
    step, scores = raymon.evaluate_run(Path(summary.model_dir), "latest")
    assert step == summary.steps
    assert scores == pytest.approx(dict(summary.eval_metrics), rel=1e-5)
    again = {"eval": ray.data.read_parquet(str(click_log / "eval"))}
    _, by_ray = raymon.evaluate_run(Path(summary.model_dir), "latest", datasets=again)
    assert by_ray == pytest.approx(scores, rel=1e-5)


def test_ray_data_reads_the_files_of_a_config(
    config_file: Path, click_log: Path, ray_address: str
) -> None:
    summary = raymon.train(
        config_file,
        ["data_config.dataset_type=RayDataset", "ray_config.num_workers=0"],
    )
    assert (summary.status, summary.samples, summary.epochs) == ("done", 2 * ROWS, 2)
    assert summary.steps == 2 * -(-ROWS // 256)


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


def test_what_cannot_be_sent_to_workers_is_told(config_file: Path, ray_address: str) -> None:
    generator = (row for row in [{"click": 1}])
    with pytest.raises(raymon.DataError, match=r'datasets\["train"\]: cannot be sent to workers'):
        raymon.train(config_file, datasets={"train": generator})
