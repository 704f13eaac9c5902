"""An AUC of torchmetrics that ranks synchronise at the end of each window, as is its default."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn
from torchmetrics.classification import BinaryAUROC

from benchmarks.harness.memory import keep_memory

ROWS = 4_096
"""Rows of an update."""


def synced_auc(ranks: int, windows: int) -> tuple[float, float]:
    """Measures what the AUC takes on the training thread of rank 0.

    Args:
        ranks: Number of processes on this machine, connected by gloo.
        windows: Number of windows, after one that does not count.

    Returns:
        Median seconds of an update, and of a `compute` with all ranks.
    """
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "seconds"
        spawn(_rank, args=(ranks, windows + 1, directory, out), nprocs=ranks)
        update, compute = json.loads(out.read_text())
    return statistics.median(update[1:]), statistics.median(compute[1:])


def _rank(rank: int, ranks: int, windows: int, directory: str, out: Path) -> None:
    torch.set_num_threads(1)
    keep_memory()
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "gloo", init_method=f"file://{directory}/meeting", rank=rank, world_size=ranks
    )
    generator = torch.Generator().manual_seed(rank)
    scores = torch.rand(ROWS, generator=generator)
    clicks = (torch.rand(ROWS, generator=generator) < scores).long()
    metric = BinaryAUROC(thresholds=200)
    update: list[float] = []
    compute: list[float] = []
    for _ in range(windows):
        update.append(_seconds(lambda: metric.update(scores, clicks)))
        dist.barrier()
        compute.append(_seconds(metric.compute))
        metric.reset()
    if rank == 0:
        out.write_text(json.dumps([update, compute]))
    dist.destroy_process_group()


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
