"""How long does the grouped AUC of an evaluation take: raymon beside loops over the users.

A million rows of 100,000 users, on one thread, and on 2 ranks with every second row each. Measured
are the seconds from the rows to the value, and the memory on top of the rows. All keep their
memory, as a process that evaluates often does. The contenders are in `contenders/grouped_aucs.py`
and `grouped_aucs_of_ranks.py`. The loop of scikit-learn takes long and is measured once; errors are
differences from its value.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial

from benchmarks.contenders.grouped_aucs import SKLEARN, TORCHMETRICS, WAYS
from benchmarks.contenders.grouped_aucs_of_ranks import on_ranks
from benchmarks.harness import Case, Ratio, Result, Target, in_turns
from benchmarks.harness.memory import keep_memory
from benchmarks.harness.peak_memory import peak_mib
from benchmarks.harness.threads import one_thread
from benchmarks.inputs.sessions import Sessions, sessions

ROUNDS = 5
ROWS, USERS = 1_000_000, 100_000
QUICK_ROWS, QUICK_USERS = 20_000, 2_000
RANKS = 2
FASTER, EQUAL = 100.0, 1e-6


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders, in one process and in two."""
    one_thread()
    keep_memory()
    rows, users = (QUICK_ROWS, QUICK_USERS) if quick else (ROWS, USERS)
    one, memory_of_one, exact = _one_process(rows, users, rounds)
    several, memory_of_several = [], []
    for name, found in on_ranks(RANKS, rows, users, rounds).items():
        error = max(abs(value - exact) for value in found.values)
        several.append(Case(name, "s", found.seconds, f"{RANKS} ranks", rows, error=error))
        memory_of_several.append(Case(name, "MiB", [found.mib], f"{RANKS} ranks: memory", rows))
    largest = max(case.error or 0.0 for case in (one[0], *several[:2]))
    return Result(
        "evaluation",
        [*one, *memory_of_one, *several, *memory_of_several],
        # A ratio for few rows says little about that for many.
        [*_ratios(one, None if quick else FASTER), *_ratios(several, None)],
        [Target("largest error of raymon", largest, EQUAL, largest <= EQUAL)],
    )


def _one_process(rows: int, users: int, rounds: int) -> tuple[list[Case], list[Case], float]:
    """Returns the seconds and memory of all ways, and the value of the loop of scikit-learn."""
    data, small = sessions(rows, users), sessions(1_000, 100)
    for way in WAYS.values():
        # What a process does only once does not count.
        way(small)
    values: dict[str, float] = {}
    in_rounds = {name: partial(_timed, name, data, values) for name in WAYS if name != SKLEARN}
    seconds = in_turns(in_rounds, rounds)
    memory = {name: peak_mib(partial(WAYS[name], data)) for name in in_rounds}
    seconds[SKLEARN] = [_timed(SKLEARN, data, values)]
    exact = values[SKLEARN]
    times = [
        Case(name, "s", seconds[name], "one process", rows, error=abs(values[name] - exact))
        for name in WAYS
    ]
    return (
        times,
        [Case(name, "MiB", [mib], "one process: memory", rows) for name, mib in memory.items()],
        exact,
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
