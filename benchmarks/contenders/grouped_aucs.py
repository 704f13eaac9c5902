"""Ways to the mean over users of the AUC within each: raymon, and loops over the users.

Users whose clicks are all 0 or all 1 are left out by all of them.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torchmetrics.functional.classification import binary_auroc
from torchmetrics.utilities.distributed import gather_all_tensors

from benchmarks.inputs.sessions import Sessions, sessions
from raymon.metrics import GroupedAUC

BATCH = 8_192
RAYMON, TORCHMETRICS, SKLEARN = (
    "raymon GroupedAUC",
    "loop of torchmetrics binary_auroc",
    "loop of scikit-learn roc_auc_score",
)
Way = Callable[[Sessions], float]


def raymon(rows: Sessions) -> float:
    """In batches, as an evaluation gives them."""
    metric = GroupedAUC()
    for begin in range(0, len(rows.scores), BATCH):
        metric.update(*(column[begin : begin + BATCH] for column in rows))
    return float(metric.compute())


def torchmetrics_loop(rows: Sessions) -> float:
    """Rows are sorted by user once; then each user's are a slice."""
    areas = [binary_auroc(s, t, validate_args=False) for s, t in _users(rows)]
    return float(torch.stack(areas).double().mean())


def sklearn_loop(rows: Sessions) -> float:
    """The same with scikit-learn."""
    return float(np.mean([roc_auc_score(t.numpy(), s.numpy()) for s, t in _users(rows)]))


def _users(rows: Sessions) -> Iterator[tuple[Tensor, Tensor]]:
    order = rows.users.argsort()
    sizes = torch.unique_consecutive(rows.users[order], return_counts=True)[1].tolist()
    for s, t in zip(rows.scores[order].split(sizes), rows.clicks[order].split(sizes), strict=True):
        if 0 < int(t.sum()) < len(t):
            yield s, t


def gathered_loop(rows: Sessions) -> float:
    """Every rank gets the rows of all, as torchmetrics does with states that it joins."""
    columns = [torch.cat(gather_all_tensors(column)) for column in rows]
    return torchmetrics_loop(Sessions(*columns))


WAYS: dict[str, Way] = {RAYMON: raymon, TORCHMETRICS: torchmetrics_loop, SKLEARN: sklearn_loop}
WAYS_OF_RANKS: dict[str, Way] = {RAYMON: raymon, f"{TORCHMETRICS}, rows gathered": gathered_loop}


def on_ranks(name: str, ranks: int, rows: int, users: int) -> tuple[float, float]:
    """Runs a way on several processes of this machine, each with a part of the rows.

    Returns:
        Seconds of the slowest, and the value of the first.
    """
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory)
        mp.spawn(_rank, args=(ranks, name, rows, users, out), nprocs=ranks)
        found = [json.loads((out / f"{rank}.json").read_text()) for rank in range(ranks)]
    return max(seconds for seconds, _ in found), found[0][1]


def _rank(rank: int, ranks: int, name: str, rows: int, users: int, out: Path) -> None:
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "gloo", init_method=f"file://{out}/meeting", rank=rank, world_size=ranks
    )
    WAYS_OF_RANKS[name](sessions(1_000, 100))
    part = sessions(rows, users).part(rank, ranks)
    dist.barrier()
    began = time.perf_counter()
    value = WAYS_OF_RANKS[name](part)
    found = [time.perf_counter() - began, value]
    (out / f"{rank}.json").write_text(json.dumps(found))
    dist.destroy_process_group()
