"""What does a step of an embedding table cost: raymon, torch's sparse gradients, TorchRec's fused.

One table of 16 numbers a row, 4,096 ids a step, drawn uniformly, on one thread: look up, backward,
update of the rows that were looked up. The contenders take turns in every round, each with a new
table. TorchRec takes part where it is installed; on a CPU its fused collection has no Adam. A dense
gradient, whose optimizer passes over every row, is measured up to a million rows.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch

from benchmarks.contenders.embedding_steps import (
    DIM,
    OPTIMIZERS,
    ROWS_OF_STEP,
    Step,
    dense_step,
    has_torchrec,
    milliseconds,
    raymon_step,
    resident_bytes,
    sharded_step,
    torch_step,
    torchrec_step,
    touch,
)
from benchmarks.harness import Case, Ratio, Result, Target, in_turns
from benchmarks.harness.subprocesses import last_json

ROUNDS = 5
STEPS, QUICK_STEPS = 60, 20
SIZES, QUICK_SIZES = (10_000, 1_000_000, 10_000_000), (10_000, 100_000)
_ROWS_IN_MEMORY = 1_000_000
_LARGEST_DENSE = 1_000_000

RAYMON, TORCH, TORCHREC = "raymon", "torch, sparse gradients", "TorchRec, fused"
SHARDED = "raymon, engine of sharded tables"
DENSE = "torch, dense gradients"
OF_TORCHREC, SHARDED_OF_TORCHREC = 2.0, 1.2
OF_STATES = 1.2
_STATES = {"SGD": 0, "Adagrad": 1, "Adam": 2}
"""Numbers that an optimizer keeps for each number of a table."""


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders in turns."""
    torch.set_num_threads(1)
    sizes, steps = (QUICK_SIZES, QUICK_STEPS) if quick else (SIZES, STEPS)
    cases: dict[tuple[str, int, str], Case] = {}
    for rows in sizes:
        for optimizer in OPTIMIZERS:
            contenders = {
                name: partial(_median, partial(make, rows, optimizer), rows, steps, name != DENSE)
                for name, make in _contenders(rows, optimizer).items()
            }
            for name, figures in in_turns(contenders, rounds).items():
                cases[optimizer, rows, name] = Case(name, "ms a step", figures, optimizer, rows)
    memory = [_memory(optimizer, _ROWS_IN_MEMORY) for optimizer in OPTIMIZERS]
    return Result("embeddings", list(cases.values()), list(_ratios(cases, sizes)), memory)


def _contenders(rows: int, optimizer: str) -> dict[str, Callable[[int, str], Step]]:
    found: dict[str, Callable[[int, str], Step]] = {RAYMON: raymon_step, TORCH: torch_step}
    if has_torchrec() and optimizer != "Adam":
        found |= {TORCHREC: torchrec_step, SHARDED: sharded_step}
    if rows <= _LARGEST_DENSE:
        found[DENSE] = dense_step
    return found


def _median(make: Callable[[], Step], rows: int, steps: int, touches: bool) -> float:
    step = make()
    if touches:
        touch(step, rows)
    return statistics.median(milliseconds(step, rows, steps))


def _ratios(cases: Mapping[tuple[str, int, str], Case], sizes: tuple[int, ...]) -> Iterator[Ratio]:
    for optimizer in OPTIMIZERS:
        largest, smallest = cases[optimizer, sizes[-1], RAYMON], cases[optimizer, sizes[0], RAYMON]
        name = f"{optimizer}: a step of {sizes[-1]:,} rows, of one of {sizes[0]:,}"
        yield Ratio.share(name, largest, smallest, at_least=False)
        for peer, target in ((TORCH, None), (TORCHREC, OF_TORCHREC)):
            other = cases.get((optimizer, sizes[-1], peer))
            if other is not None:
                name = f"{optimizer}, {sizes[-1]:,} rows: time of a step, of that of {peer}"
                yield Ratio.share(name, largest, other, target, at_least=False)
        sharded = cases.get((optimizer, sizes[-1], SHARDED))
        if sharded is not None:
            fused = cases[optimizer, sizes[-1], TORCHREC]
            name = f"{optimizer}, {sizes[-1]:,} rows: time of a step of {SHARDED}, of {TORCHREC}"
            yield Ratio.share(name, sharded, fused, SHARDED_OF_TORCHREC, at_least=False)


def _memory(optimizer: str, rows: int) -> Target:
    """Returns what a table keeps resident, of the bytes of its rows and of their states."""
    command = [sys.executable, "-m", "benchmarks.embeddings", optimizer, str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    share = last_json(done.stdout) / (rows * DIM * 4 * (1 + _STATES[optimizer]))
    name = f"{optimizer}: resident bytes, of those of rows and states"
    return Target(name, share, OF_STATES, share <= OF_STATES)


if __name__ == "__main__":
    kind, number = sys.argv[1], int(sys.argv[2])
    # What a process loads with its first step is not of the table.
    resident_bytes(partial(raymon_step, ROWS_OF_STEP, kind), ROWS_OF_STEP)
    print(resident_bytes(partial(raymon_step, number, kind), number))
