"""What do sharded tables cost: a step and a save, beside a bare loop over TorchRec.

A DLRM with 26 tables of 16 numbers a row and row-wise Adagrad, on two ranks of one thread each over
gloo, 2,048 rows a step and rank, with ids drawn uniformly. The bare loop is TorchRec's
`DistributedModelParallel` with the plan that it makes by itself, over the same dense part, and
nothing around it. All contenders are in the same two processes, and take turns step by step. Needs
TorchRec.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.contenders.sharded_steps import BARE, BLOCKING, RAYMON
from benchmarks.harness import Case, Ratio, Result, Target
from benchmarks.harness.subprocesses import last_json

ROUNDS = 40
"""Steps of each contender."""

RANKS = 2
BATCH_SIZE = 2_048
ROWS, QUICK_ROWS = 1_000_000, 50_000
OF_BARE, OF_BLOCKING, OF_PART = 0.8, 0.1, 1.2


def run(rounds: int, quick: bool) -> Result:
    """Measures steps, saves, and the memory of a rank."""
    rows = QUICK_ROWS if quick else ROWS
    figures = _of_ranks("steps", rows, BATCH_SIZE, rounds)
    cases = {
        (question, name): Case(name, question.split(",")[-1].strip(), values, question, rows)
        for question, of_contenders in figures.items()
        for name, values in of_contenders.items()
    }
    share = _of_ranks("memory", rows, BATCH_SIZE)
    name = "resident bytes of a rank, of its part of rows and states"
    # Of small tables it is what a process takes anyhow.
    target = Target(name, share, OF_PART, share <= OF_PART)
    ratios = list(_ratios(cases))
    return Result("sharded_tables", list(cases.values()), ratios, [] if quick else [target])


def _ratios(cases: dict[tuple[str, str], Case]) -> Iterator[Ratio]:
    step, bare = cases["ms a step", RAYMON], cases["ms a step", BARE]
    yield Ratio.faster("samples/s, of those of the bare loop", step, bare, OF_BARE)
    ours, theirs = (cases["MB exchanged a step", name] for name in (RAYMON, BARE))
    yield Ratio.share("bytes exchanged, of those of the bare loop", ours, theirs, at_least=False)
    question = "standstill for a save, ms"
    still, blocked = cases[question, RAYMON], cases[question, BLOCKING]
    name = "standstill for a save, of that of torch.save"
    yield Ratio.share(name, still, blocked, OF_BLOCKING, at_least=False)


def _of_ranks(mode: str, *numbers: int) -> Any:
    """Returns what rank 0 prints."""
    with tempfile.TemporaryDirectory(prefix="raymon-") as folder:
        command = [sys.executable, "-m", "benchmarks.contenders.sharded_steps", mode]
        rest = [str(RANKS), folder, *map(str, numbers)]
        ranks = [
            subprocess.Popen([*command, str(rank), *rest], stdout=subprocess.PIPE, text=True)
            for rank in range(RANKS)
        ]
        outputs = [process.communicate(timeout=1200)[0] for process in ranks]
        failed = [process.returncode for process in ranks if process.returncode]
        if failed:
            raise RuntimeError(f"a rank ended with {failed[0]}")
    return last_json(outputs[0])
