"""On a GPU no line of the training thread waits for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import raymon
from benchmarks.contenders.gpu_task import Task
from benchmarks.contenders.gpu_watched import GpuClicks
from benchmarks.gpu import waits_of_training
from benchmarks.harness.device_waits import waits_of_this_thread

pytestmark = pytest.mark.gpu

SMALL = ((32, 16), (32, 16))
STEPS = 250


@pytest.mark.parametrize("table_rows", [500, 50_000])
@pytest.mark.parametrize("precision", ["", "BF16"])
def test_training_with_clipping_summaries_and_metrics_waits_for_nothing(
    precision: str, table_rows: int, device: torch.device
) -> None:
    assert waits_of_training(Task(512, table_rows, precision, SMALL), device) == {}


def test_in_fp16_torch_alone_asks_whether_gradients_are_finite(device: torch.device) -> None:
    found = waits_of_training(Task(512, 500, "FP16", SMALL), device)
    assert {line.split(":")[0] for line in found} <= {"raymon/training/loop/train_step.py"}
    assert len(found) <= 1


@pytest.mark.parametrize("metrics", [["auc"], ["auc", "log_loss", "calibration"]])
def test_the_monitor_of_another_loop_waits_for_nothing(
    metrics: list[str], device: torch.device, tmp_path: Path
) -> None:
    model = GpuClicks(device, 1)
    rows = torch.randn(256, model.layers[0].weight.shape[1], device=device)
    clicks = (torch.rand(256, device=device) < 0.1).float()
    with raymon.Monitor(metrics, model_dir=tmp_path, log_step_count_steps=50) as monitor:

        def train(steps: int) -> None:
            for _ in range(steps):
                loss, predictions = model.step(rows, clicks)
                monitor.step({"loss": loss}, predictions, clicks)

        train(5)
        if device.type == "cpu":
            train(STEPS)
        else:
            with waits_of_this_thread() as found:
                train(STEPS)
            assert not found
    assert monitor.failures == 0
