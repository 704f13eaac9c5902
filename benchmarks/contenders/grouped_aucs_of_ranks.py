"""Ways to compute the same grouped AUC on every rank, each of which has a part of the rows.

raymon exchanges rows by user, so that each rank gets those of its share of the users. The peers
gather the rows of all on every rank, as torchmetrics does with states that are concatenated
(`dist_reduce_fx="cat"`), followed by raymon's own computation, and by the loop of torchmetrics.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torchmetrics.utilities.distributed import gather_all_tensors

from benchmarks.contenders.grouped_aucs import (
    RAYMON,
    TORCHMETRICS,
    Way,
    raymon,
    torchmetrics_loop,
    value_of,
)
from benchmarks.harness import in_turns
from benchmarks.harness.memory import keep_memory
from benchmarks.harness.peak_memory import peak_mib
from benchmarks.harness.threads import one_thread
from benchmarks.inputs.sessions import Sessions, sessions
from raymon.metrics import GroupedAUC


def _gathered(rows: Sessions) -> float:
    # Given a `dist_sync_fn`, the metric gathers as torchmetrics does.
    def gather(column: Tensor, group: Any = None) -> list[Tensor]:
        return gather_all_tensors(column, group)

    return value_of(GroupedAUC(dist_sync_fn=gather), rows)


def _gathered_loop(rows: Sessions) -> float:
    columns = [torch.cat(gather_all_tensors(column)) for column in rows]
    return torchmetrics_loop(Sessions(*columns))


WAYS: dict[str, Way] = {
    RAYMON: raymon,
    f"{RAYMON}, rows gathered": _gathered,
    f"{TORCHMETRICS}, rows gathered": _gathered_loop,
}


class Found(NamedTuple):
    """What all ranks found by one way.

    Attributes:
        seconds: Seconds of the slowest rank in each round.
        values: Value on each rank, in the last round.
        mib: MiB of the rank that took the most memory on top of its own rows.
    """

    seconds: list[float]
    values: list[float]
    mib: float


def on_ranks(ranks: int, rows: int, users: int, rounds: int) -> dict[str, Found]:
    """Runs all ways in turns on several processes of this machine, connected by gloo.

    Args:
        ranks: Number of processes.
        rows: Rows of all ranks together.
        users: Users of all ranks together.
        rounds: Number of times that each way is run.
    """
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory)
        spawn(_rank, args=(ranks, rows, users, rounds, out), nprocs=ranks)
        found = [json.loads((out / f"{rank}.json").read_text()) for rank in range(ranks)]
    return {name: _together([one[name] for one in found]) for name in WAYS}


def _together(found: list[Mapping[str, Any]]) -> Found:
    seconds = [max(times) for times in zip(*(one["seconds"] for one in found), strict=True)]
    return Found(seconds, [one["value"] for one in found], max(one["mib"] for one in found))


def _rank(rank: int, ranks: int, rows: int, users: int, rounds: int, out: Path) -> None:
    one_thread()
    keep_memory()
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "gloo", init_method=f"file://{out}/meeting", rank=rank, world_size=ranks
    )
    part = sessions(rows, users).part(rank, ranks)
    values: dict[str, float] = {}

    def timed(name: str) -> float:
        dist.barrier()
        began = time.perf_counter()
        values[name] = WAYS[name](part)
        return time.perf_counter() - began

    small = sessions(1_000, 100)
    for way in WAYS.values():
        # What a process does only once does not count.
        way(small)
    seconds = in_turns({name: partial(timed, name) for name in WAYS}, rounds)
    found = {
        name: {
            "seconds": seconds[name],
            "value": values[name],
            "mib": peak_mib(partial(way, part)),
        }
        for name, way in WAYS.items()
    }
    (out / f"{rank}.json").write_text(json.dumps(found))
    dist.destroy_process_group()
