"""A user's loop on Ray Train with many disturbances: `watched_loop.py STORAGE_PATH [RESULTS]`.

The reporter is killed after step 30, and rank 1 fails after step 45, so that all workers start
again from the checkpoint of step 20; the reporter is killed again after step 30. Rank 1 makes more
steps than rank 0.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor

STEPS = (60, 75)
"""Of each rank."""

ROWS = 64


def loss(rank: int, step: int) -> float:
    """Returns the loss of a step of a rank."""
    return step + rank / 2


def scored(rank: int, step: int) -> tuple[Tensor, Tensor]:
    """Returns scores and labels of a step of a rank."""
    generator = torch.Generator().manual_seed(1000 * rank + step)
    scores = torch.rand(ROWS, generator=generator)
    return scores, (torch.rand(ROWS, generator=generator) < scores).float()


def train_loop(config: dict[str, str]) -> None:
    import ray.train

    import raymon
    from raymon.metrics import DecayAUC, TrainMetricWrapper

    rank = ray.train.get_context().get_world_rank()
    checkpoint = ray.train.get_checkpoint()
    first_step = 0 if checkpoint is None else 20
    metrics = {"auc": TrainMetricWrapper(DecayAUC(), decay_step=10)}
    with raymon.Monitor(metrics, log_step_count_steps=10, first_step=first_step) as monitor:
        for step in range(first_step, STEPS[rank]):
            monitor.step({"bce": loss(rank, step)}, *scored(rank, step))
            time.sleep(0.02)
            if step + 1 == 20:
                monitor.checkpoint()
                _save(rank)
            if step + 1 == 30 and rank == 0:
                _kill_reporter()
            if step + 1 == 45 and first_step == 0 and rank == 1:
                raise RuntimeError("a worker fails")
    result = {"arrived": monitor.close(), "auc": monitor.compute()["auc"]}
    Path(config["results"], f"rank-{rank}.json").write_text(json.dumps(result))


def watch_in_one_process(directory: Path) -> None:
    """Writes the numbers of the same steps in one undisturbed process that sees all rows."""
    import raymon
    from raymon.metrics import DecayAUC, TrainMetricWrapper

    metrics = {"auc": TrainMetricWrapper(DecayAUC(), decay_step=10)}
    with raymon.Monitor(metrics, model_dir=directory, log_step_count_steps=10) as monitor:
        for step in range(max(STEPS)):
            ranks = [rank for rank, steps in enumerate(STEPS) if step < steps]
            losses = [loss(rank, step) for rank in ranks]
            parts = zip(*(scored(rank, step) for rank in ranks), strict=True)
            scores, labels = (torch.cat(column) for column in parts)
            monitor.step({"bce": sum(losses) / len(losses)}, scores, labels)


def _save(rank: int) -> None:
    import ray.train

    with tempfile.TemporaryDirectory() as directory:
        part = ray.train.Checkpoint.from_directory(directory) if rank == 0 else None
        ray.train.report({}, checkpoint=part)


def _kill_reporter() -> None:
    import ray.train

    from raymon.monitor.ray_run import directory_in_ray
    from raymon.reporter.on_ray.actor import actor_name
    from raymon.reporter.on_ray.ray_reporter import RayReporter

    name = actor_name(str(directory_in_ray(ray.train.get_context().get_storage())))
    os.kill(RayReporter(ray.get_actor(name, namespace=name)).process_id(), signal.SIGKILL)


if __name__ == "__main__":
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    TorchTrainer(
        train_loop,
        train_loop_config={"results": sys.argv[-1]},
        scaling_config=ScalingConfig(num_workers=2),
        run_config=RunConfig(
            name="watched",
            storage_path=sys.argv[1],
            failure_config=FailureConfig(max_failures=1),
        ),
    ).fit()
