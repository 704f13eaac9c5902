"""How long does the grouped AUC of an evaluation take: raymon beside loops over the users.

A million rows of 100,000 users, on one thread, and on 2 ranks that have every second row each.
Counted are the seconds from the rows to the value. The loops sort the rows by user once and then
ask their library for the AUC of one user at a time, which is how such metrics are written on top of
torchmetrics and scikit-learn; on 2 ranks the peer gathers all rows on each, as torchmetrics does
with a metric that keeps its rows. What takes long is measured once. Errors are against the loop of
scikit-learn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial

import torch

from benchmarks.contenders.grouped_aucs import (
    RAYMON,
    SKLEARN,
    TORCHMETRICS,
    WAYS,
    WAYS_OF_RANKS,
    on_ranks,
)
from benchmarks.harness import Case, Ratio, Result, Target, in_turns
from benchmarks.inputs.sessions import Sessions, sessions

ROUNDS = 5
ROWS, USERS = 1_000_000, 100_000
QUICK_ROWS, QUICK_USERS = 20_000, 2_000
FASTER, EQUAL = 100.0, 1e-6
ONE, TWO = "one process", "2 ranks"


def run(rounds: int, quick: bool) -> Result:
    """Asks all ways, in one process and in two."""
    torch.set_num_threads(1)
    rows, users = (QUICK_ROWS, QUICK_USERS) if quick else (ROWS, USERS)
    data = sessions(rows, users)
    for way in WAYS.values():
        # What a process does once is not counted.
        way(sessions(1_000, 100))
    values: dict[str, float] = {}
    loops = {name: _timed(name, data, values) for name in (TORCHMETRICS, SKLEARN)}
    ours = in_turns({RAYMON: partial(_timed, RAYMON, data, values)}, rounds)[RAYMON]
    exact = values[SKLEARN]
    one = [
        Case(name, "s", figures, ONE, rows, error=abs(values[name] - exact))
        for name, figures in ((RAYMON, ours), *((name, [loops[name]]) for name in loops))
    ]
    two = []
    for name in WAYS_OF_RANKS:
        found = [on_ranks(name, 2, rows, users) for _ in range(rounds if name == RAYMON else 1)]
        error = max(abs(value - exact) for _, value in found)
        two.append(Case(name, "s", [seconds for seconds, _ in found], TWO, rows, error=error))
    largest = max(case.error or 0.0 for case in (one[0], two[0]))
    return Result(
        "evaluation",
        [*one, *two],
        [*_ratios(one, FASTER), *_ratios(two, None)],
        [Target("largest error of raymon", largest, EQUAL, largest <= EQUAL)],
    )


def _timed(name: str, data: Sessions, values: dict[str, float]) -> float:
    began = time.perf_counter()
    values[name] = WAYS[name](data)
    return time.perf_counter() - began


def _ratios(cases: Sequence[Case], aim: float | None) -> Iterator[Ratio]:
    ours, *peers = cases
    for peer in peers:
        target = aim if peer.contender == TORCHMETRICS else None
        name = f"{ours.asked}: times faster than {peer.contender}"
        yield Ratio.faster(name, ours, peer, target)
