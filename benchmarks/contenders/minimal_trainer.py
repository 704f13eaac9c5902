"""The minimal use of Ray's `TorchTrainer`, as in its quick start: a small model, a few steps.

As a program it is compared with raymon's command line; its arguments are the address of a cluster
and the directory of the run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any


def minimal_run(directory: Path) -> None:
    """Runs the trainer once, on the cluster that this process is connected to."""
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from benchmarks.contenders.first_step import WORKERS

    TorchTrainer(
        train_func,
        train_loop_config={"directory": directory},
        scaling_config=ScalingConfig(num_workers=WORKERS),
        run_config=RunConfig(name=directory.name, storage_path=str(directory.parent)),
    ).fit()


def train_func(config: dict[str, Any]) -> None:
    """Trains on each worker."""
    import ray.train
    import torch
    from ray.train.torch import prepare_model
    from torch import nn

    from benchmarks.contenders.first_step import BATCH, STEPS, layers, note_first_step

    rank = ray.train.get_context().get_world_rank()
    whole = nn.Sequential(layers(), nn.Linear(16, 1))
    model = prepare_model(whole)
    optimizer = torch.optim.Adam(model.parameters(), 0.001)
    loss_fn = nn.BCEWithLogitsLoss()
    rows, labels = torch.rand(BATCH, 13), torch.zeros(BATCH, 1)
    for step in range(STEPS):
        if step == 0:
            note_first_step(config["directory"], rank)
        loss = loss_fn(model(rows), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with tempfile.TemporaryDirectory() as directory:
        torch.save(whole.state_dict(), os.path.join(directory, "model.pt"))
        checkpoint = ray.train.Checkpoint.from_directory(directory)
        ray.train.report({"loss": loss.item()}, checkpoint=checkpoint if rank == 0 else None)


def main() -> None:
    """Connects to the cluster, and runs the trainer."""
    import ray

    ray.init(address=sys.argv[1])
    minimal_run(Path(sys.argv[2]))


if __name__ == "__main__":
    main()
