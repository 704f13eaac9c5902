"""Runs whose batches are copied ahead, as to a GPU, are those whose batches are not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

import raymon
from raymon.data import Batch
from raymon.data.transfer.device_feed import copied_ahead
from raymon.training.rank.worker_context import WorkerContext
from tests.data.transfer.lazy_device import LazyDevice
from tests.training.test_run_in_process import weights

STEPS = ["ray_config.num_workers=0", "data_config.batch_size=500", "train_config.num_steps=30"]
FILES: dict[str, list[str]] = {
    "files": [],
    "files, shuffled, in global batches": [
        "data_config.shuffle=true",
        "data_config.global_batch_size=900",
    ],
    "files on the training thread": ["data_config.num_workers=0"],
    "groups of steps": ["train_config.gradient_accumulation_steps=4"],
    "a limit of the evaluation": ["eval_config.num_steps=2"],
    "an early stop": [
        "train_config.save_checkpoints_steps=3",
        "train_config.early_stopping={metric: 'auc' patience: 1 min_delta: 1.0}",
    ],
}


def copied(
    self: WorkerContext, items: Iterator[Any], batch_of: Callable[[Any], Batch], pin_memory: bool
) -> Generator[tuple[Any, Batch], None, None]:
    return copied_ahead(items, batch_of, LazyDevice(at_once=True))


def runs(
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    chosen: list[str],
    **options: Any,
) -> list[tuple[Any, dict[str, torch.Tensor]]]:
    """Returns summary and weights of a run without copies, and of one with them."""
    found = []
    for name in ("direct", "copied"):
        directory = config_file.parent / name
        if name == "copied":
            monkeypatch.setattr(WorkerContext, "on_device", copied)
        summary = raymon.train(config_file, [*STEPS, *chosen, f"model_dir={directory}"], **options)
        found.append((summary, weights(directory, summary.steps)))
    assert not [t for t in threading.enumerate() if t.name in ("raymon-copies", "raymon-batches")]
    return found


def check_equal(found: list[tuple[Any, dict[str, torch.Tensor]]]) -> None:
    (summary, direct), (other, others) = found
    assert other.steps == summary.steps
    assert other.samples == summary.samples
    assert other.train_metrics == summary.train_metrics
    assert other.eval_metrics == summary.eval_metrics
    assert set(direct) == set(others)
    for name, weight in direct.items():
        assert torch.equal(weight, others[name]), name


@pytest.mark.parametrize("chosen", FILES.values(), ids=FILES)
def test_batches_of_files(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, chosen: list[str]
) -> None:
    found = runs(config_file, monkeypatch, chosen)
    check_equal(found)
    assert (found[0][0].steps < 30) == (chosen == FILES["an early stop"])


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_of_a_dataset_of_unknown_length(
    config_file: Path, click_log: Path, monkeypatch: pytest.MonkeyPatch, num_workers: int
) -> None:
    table = pq.read_table(click_log / "train")

    def rows(epoch: int) -> Iterator[Any]:
        for begin in range(0, 3000, 700):
            yield table.slice(begin, 700)

    chosen = [
        f"data_config.num_workers={num_workers}",
        "train_config.gradient_accumulation_steps=2",
    ]
    check_equal(runs(config_file, monkeypatch, chosen, datasets={"train": rows, "eval": rows}))


def test_a_dataset_that_fails_fails_the_run_after_the_steps_before(
    config_file: Path, click_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pq.read_table(click_log / "train")

    def rows(epoch: int) -> Iterator[Any]:
        yield table.slice(0, 4000)
        raise RuntimeError("no more of it")

    monkeypatch.setattr(WorkerContext, "on_device", copied)
    with pytest.raises(raymon.TrainingError, match="no more of it"):
        raymon.train(config_file, STEPS, datasets={"train": rows})
    assert not [t for t in threading.enumerate() if t.name == "raymon-copies"]
