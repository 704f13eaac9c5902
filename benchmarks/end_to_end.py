"""How many samples a second does a whole run train: raymon, bare, Ray Train, Lightning.

A click log like Criteo's, of 2 million rows in 4 Parquet files, one epoch of it on 2 workers. All
have in common: the model and its initial weights, the features and the code that makes them of the
columns, Adam, 4,096 rows a step of each worker, loss and AUC shown every 100 steps, one checkpoint
at the end. Each peer is written as its own documentation recommends; see the files of `contenders`.
All that run on Ray share one cluster of this machine with 4 CPUs, whatever the machine has: 2 for
the workers, 2 for `ray.data`.

Measured are the samples of both workers over the seconds of the slower one from the start of the
loop, when the model is ready, to its end, with all that it reads. The seconds from the call of
`train` or `fit` to its return, which include the start and end of the workers, are given as well.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.contenders.click_task import Trained
from benchmarks.harness import Case, Ratio, Result, Target, in_turns
from benchmarks.harness.cluster import local_cluster
from benchmarks.inputs.criteo_like import generate

ROUNDS = 4
ROWS, QUICK_ROWS = 2_000_000, 40_000
FILES, CPUS = 4, 4
RAYMON, UNWATCHED = "raymon", "the same loop, unwatched"
RAY_TRAIN, LIGHTNING = "Ray Train, ray.data, torchmetrics", "Lightning, DDP, torchmetrics"
AIMS = {UNWATCHED: 0.97, RAY_TRAIN: 3.0, LIGHTNING: None}


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders in turns."""
    rows = QUICK_ROWS if quick else ROWS
    local_cluster(CPUS)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        data = directory / "data"
        data.mkdir()
        generate(data, rows, rows // FILES)
        number = iter(range(1_000_000))
        measures = {
            name: partial(_measure, contender, data, directory, number)
            for name, contender in _contenders().items()
            # The quick form of `scaling` measures it as well.
            if not (quick and name == UNWATCHED)
        }
        found = in_turns(measures, rounds)
    speed = {
        name: Case(name, "samples/s", [run.per_second for run in runs], "training")
        for name, runs in found.items()
    }
    wall = [
        Case(name, "s", [run.wall_s for run in runs], "from the call to its return")
        for name, runs in found.items()
    ]
    return Result(
        "end_to_end",
        [*speed.values(), *wall],
        [
            Ratio.share(f"samples/s, of {peer}", speed[RAYMON], speed[peer], target)
            for peer, target in AIMS.items()
            if peer in speed
        ],
        [_all_trained(rows, [run for runs in found.values() for run in runs])],
    )


def _contenders() -> dict[str, Callable[[Path, Path], Trained]]:
    # Imported here: Ray reads its environment at import, and `local_cluster` sets it before.
    from benchmarks.contenders.lightning_loop import lightning_loop
    from benchmarks.contenders.ray_data_loop import ray_data_loop
    from benchmarks.contenders.unwatched import unwatched
    from benchmarks.contenders.watched import watched

    return {
        RAYMON: watched,
        UNWATCHED: unwatched,
        RAY_TRAIN: ray_data_loop,
        LIGHTNING: lightning_loop,
    }


def _measure(
    contender: Callable[[Path, Path], Trained], data: Path, directory: Path, number: Iterator[int]
) -> Trained:
    return contender(data, directory / f"run-{next(number)}")


def _all_trained(rows: int, runs: list[Trained]) -> Target:
    wrong = sum(run.samples != rows or not math.isfinite(run.loss) for run in runs)
    return Target("runs without all rows, or a finite loss", wrong, 0, wrong == 0)
