"""What does counting the lookups in embedding tables add to a training step.

26 tables of 16 numbers a row and a small MLP, 4,096 rows a step, on one thread; windows of 100
steps go to a reporter in the process. Steps whose lookups are counted and steps whose lookups are
not take turns, and both are watched otherwise alike. The thread that counts has a core of its own
where there is one.
"""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from pathlib import Path

import torch

from benchmarks.contenders.counted_lookups import WINDOW, TableModel
from benchmarks.harness import Case, Ratio, Result, in_turns
from benchmarks.harness.memory import keep_memory

ROUNDS = 10
WINDOWS, QUICK_WINDOWS = 2, 1
SIZES, QUICK_SIZES = (10_000, 100_000), (1_000, 50_000)
COUNTED, UNCOUNTED = "raymon", "raymon, lookups are not counted"
TARGET, NOISE = 0.02, 0.03
"""Share of a step, and how far it may be off on a busy machine."""


def run(rounds: int, quick: bool) -> Result:
    """Runs both contenders in turns, for each size of the tables."""
    keep_memory()
    torch.set_num_threads(1)
    steps = WINDOW * (QUICK_WINDOWS if quick else WINDOWS)
    cases, ratios = [], []
    for rows in QUICK_SIZES if quick else SIZES:
        with tempfile.TemporaryDirectory() as directory:
            models = {
                name: TableModel(rows, Path(directory) / name, name == COUNTED)
                for name in (COUNTED, UNCOUNTED)
            }
            contenders = {name: partial(_median_ms, m, steps) for name, m in models.items()}
            figures = in_turns(contenders, rounds)
            for model in models.values():
                model.close()
        asked = "a step of 26 tables"
        cases += [Case(n, "ms a step", found, asked, rows) for n, found in figures.items()]
        bare = statistics.median(figures[UNCOUNTED])
        added = [
            counted - uncounted
            for counted, uncounted in zip(figures[COUNTED], figures[UNCOUNTED], strict=True)
        ]
        ratios.append(
            Ratio(
                f"{rows:,} rows a table: added to a step, of the step",
                [each / bare for each in added],
                f"{statistics.median(added):.3g} ms",
                f"not counted: {bare:.3g} ms",
                at_least=False,
                target=TARGET,
                slack=NOISE,
            )
        )
    return Result("table_health", cases, ratios)


def _median_ms(model: TableModel, steps: int) -> float:
    return 1e3 * statistics.median(model.steps(steps))
