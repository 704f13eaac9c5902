"""A model that torch compiles for the GPU learns as it does without, and waits for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from google.protobuf import text_format

from benchmarks.contenders.gpu_loop import RaymonLoop
from benchmarks.contenders.gpu_task import Task, host_batches
from benchmarks.harness.device_waits import waits_of_this_thread
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext
from tests.models.pipelines import DEEPFM, DLRM, batch_of, model_of, pipeline

pytestmark = pytest.mark.gpu

STEPS = (64, 64, 48, 64, 1)
"""Rows of each step: the last batch of an epoch may be smaller."""


def losses_of(text: str, precision: str, compiles: bool, device: torch.device) -> torch.Tensor:
    """Returns the losses of steps."""
    optimizer = "adam_optimizer { lr: 0.01 }"
    config = text_format.Parse(
        f"sparse_optimizer {{ {optimizer} }} dense_optimizer {{ {optimizer} }} {precision} "
        f"compile: {str(compiles).lower()}",
        TrainConfig(),
    )
    model = model_of(pipeline(text)).to(device)
    context = WorkerContext(0, 1, device, LocalController())
    step = TrainStep(config, model, build_optimizers(config, model), context)
    losses = []
    for seed, rows in enumerate(STEPS):
        batch = batch_of(rows, seed).to(device)
        losses += step.backward(batch, group_rows=rows, group=1, last=True).losses.values()
        step.unscale()
        step.update()
    return torch.stack([loss.detach().cpu() for loss in losses])


@pytest.mark.parametrize("precision", ["", 'mixed_precision: "BF16"', 'mixed_precision: "FP16"'])
@pytest.mark.parametrize("model", [DLRM, DEEPFM], ids=["dlrm", "deepfm"])
def test_losses_are_those_of_the_model_as_it_is(
    model: str, precision: str, device: torch.device
) -> None:
    torch._dynamo.reset()
    found, expected = (losses_of(model, precision, each, device) for each in (True, False))
    near = 0.02 if precision else 1e-4
    torch.testing.assert_close(found, expected, rtol=near, atol=near)


def compiled(config: PipelineConfig) -> None:
    config.train_config.compile = True


def test_no_line_of_its_training_waits(device: torch.device, tmp_path: Path) -> None:
    torch._dynamo.reset()
    task = Task(512, 500, "BF16", ((32, 16), (32, 16)))
    batches = host_batches(task, 3)
    loop = RaymonLoop(task, device, tmp_path / "run", compiled)
    loop.run(batches, 10, 0)
    with waits_of_this_thread() as found:
        loop.run(batches, 210, 0)
    loop.close()
    # The clock waits, too.
    assert {line for line in found if not line.startswith("benchmarks/")} == set()
