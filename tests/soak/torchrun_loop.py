"""A loop that torchrun starts: `torchrun ... torchrun_loop.py OPTIONS`, with options as JSON.

It trains a small model by DDP or FSDP on rows that follow from rank and step, saves a checkpoint
every 20 steps, goes on from the last one, and may kill one of its ranks once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.functional import binary_cross_entropy_with_logits

import raymon
from raymon.metrics import DecayAUC, TrainMetricWrapper

ROWS, SAVE_STEPS = 64, 20


def rows(rank: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features `[B, 8]` and labels `[B]` of a rank in a step."""
    generator = torch.Generator().manual_seed(100_003 * rank + step)
    features = torch.randn(ROWS, 8, generator=generator)
    chance = torch.sigmoid(3 * features.mean(1))
    return features, torch.bernoulli(chance, generator=generator)


def make_model(kind: str) -> nn.Module:
    """The model as each rank has it."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    return fully_shard(model) if kind == "fsdp" else nn.parallel.DistributedDataParallel(model)


def main(options: dict[str, Any]) -> None:
    """Trains."""
    directory, steps = Path(options["directory"]), options["steps"]
    checkpoint = directory / "checkpoint.pt"
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    model = make_model(options["kind"])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        first = saved["step"]
        model.load_state_dict(saved["model"])
    metrics = {"auc": TrainMetricWrapper(DecayAUC(), 0.9, options.get("decay_step", 20))}
    own = directory / "run" if rank == 0 else directory / "not on this machine" / "run"
    monitor = raymon.Monitor(
        metrics,
        model_dir=own,
        log_step_count_steps=10,
        total_steps=steps,
        use_tensorboard=False,
        first_step=first or None,
    )
    scores, labels = [], []
    for step in range(first, steps):
        features, target = rows(rank, step)
        logits = model(features).squeeze(1)
        loss = binary_cross_entropy_with_logits(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        score = logits.detach().sigmoid()
        scores.append(score.numpy().copy())
        labels.append(target.numpy())
        monitor.step({"bce": loss}, score, target)
        if (step + 1) % SAVE_STEPS == 0 and options["kind"] == "ddp":
            monitor.checkpoint()
            if rank == 0:
                state = {"step": step + 1, "model": model.state_dict()}
                torch.save(state, checkpoint.with_suffix(".part"))
                checkpoint.with_suffix(".part").rename(checkpoint)
            dist.barrier()
        _may_die(options, directory, rank, step + 1)
    np.savez(directory / f"scores-{rank}.npz", scores=np.array(scores), labels=np.array(labels))
    arrived = monitor.close()
    (directory / f"closed-{rank}.json").write_text(json.dumps([arrived, monitor.failures]))
    dist.barrier()
    dist.destroy_process_group()


def _may_die(options: dict[str, Any], directory: Path, rank: int, step: int) -> None:
    if options.get("dies") != [rank, step]:
        return
    mark = directory / "has died"
    if not mark.exists():
        mark.write_text(str(os.getpid()))
        time.sleep(1.5)  # what was measured until the last checkpoint is durable
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
