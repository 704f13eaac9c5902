"""One of the ranks that known configs are resumed on, one config after the other, without Ray."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from raymon.training.loop.reporting_recorder import make_reporting_recorder
from raymon.training.loop.worker import run_worker
from raymon.training.rank.worker_context import WorkerContext
from raymon.training.rank.worker_task import WorkerTask
from tests.training.rank_process import KeepingLink, RankRun, read_config


def main(folder: Path, rank: int, world_size: int) -> None:
    """Continues the runs of the files `*/resumed.config` in a folder."""
    torch.set_num_threads(1)
    for file in sorted(folder.glob("*/resumed.config")):
        dist.init_process_group(
            "gloo",
            init_method=f"file://{file}.rendezvous",
            rank=rank,
            world_size=world_size,
            timeout=timedelta(seconds=60),
        )
        error = ""
        try:
            context = WorkerContext(rank, world_size, torch.device("cpu"), RankRun())
            task = WorkerTask(read_config(file).SerializeToString())
            run_worker(task, context, KeepingLink(), make_reporting_recorder)
        except Exception as raised:
            # One config that fails does not keep the others from being tried.
            error = f"{type(raised).__name__}: {raised}"
        (file.parent / f"error.{rank}").write_text(error)
        dist.destroy_process_group()
