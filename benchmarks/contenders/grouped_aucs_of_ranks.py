"""Ways to the same grouped AUC on every rank, each of which has a part of the rows.

raymon exchanges rows by user, so that each rank gets those of its share of the users. Beside it,
every rank gets the rows of all, as torchmetrics does with the states of a metric that it joins
(`dist_reduce_fx="cat"`): with raymon's own computation after that, and with the loop of
torchmetrics.
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
    # With a function of the caller's the metric gathers as torchmetrics does.
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
    """What all ranks found of one way.

    Attributes:
        seconds: Of the slowest rank, one a round.
        values: Of each rank, of the last round.
        mib: Of the rank that took the most memory above its own rows.
    """

    seconds: list[float]
    values: list[float]
    mib: float


def on_ranks(ranks: int, rows: int, users: int, rounds: int) -> dict[str, Found]:
    """Runs all ways in turns on several processes of this machine, which speak gloo.

    Args:
        ranks: How many processes.
        rows: Of all ranks together.
        users: Of all ranks together.
        rounds: How often each way is asked.
    """
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory)
        spawn(_rank, args=(ranks, rows, users, rounds, out), nprocs=ranks)
        told = [json.loads((out / f"{rank}.json").read_text()) for rank in range(ranks)]
    return {name: _together([one[name] for one in told]) for name in WAYS}


def _together(told: list[Mapping[str, Any]]) -> Found:
    seconds = [max(times) for times in zip(*(one["seconds"] for one in told), strict=True)]
    return Found(seconds, [one["value"] for one in told], max(one["mib"] for one in told))


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
        # What a process does once is not counted.
        way(small)
    seconds = in_turns({name: partial(timed, name) for name in WAYS}, rounds)
    told = {
        name: {
            "seconds": seconds[name],
            "value": values[name],
            "mib": peak_mib(partial(way, part)),
        }
        for name, way in WAYS.items()
    }
    (out / f"{rank}.json").write_text(json.dumps(told))
    dist.destroy_process_group()
