"""How fast are batches made of Parquet: raymon, pyarrow alone, torch's DataLoader, ray.data.

All but pyarrow alone make the same features of the same columns, with raymon's code for them. Each
contender runs in a process of its own, and is timed in its second epoch; rounds of all of them take
turns.

`KUAIRAND_DIR` names a directory with `train/*.parquet` of KuaiRand, which is read too then.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.inputs.criteo_like import generate
from benchmarks.contenders.readers import CONTENDERS
from benchmarks.harness.result import Case, Result, Target

ROWS = 2_000_000
OF_PYARROW, OF_RAY_DATA, FLAT = 0.9, 5.0, 1.1
_LONG_EPOCHS = 6

Figures = dict[str, list[dict[str, Any]]]


def run(rounds: int) -> Result:
    """Runs all contenders in turns."""
    cases: list[Case] = []
    with tempfile.TemporaryDirectory() as directory:
        generate(Path(directory), ROWS)
        sources = {"criteo_like": directory}
        if "KUAIRAND_DIR" in os.environ:
            sources["kuairand"] = str(Path(os.environ["KUAIRAND_DIR"]) / "train")
        found = {name: _round_robin(name, path, rounds) for name, path in sources.items()}
        for name, figures in found.items():
            cases += _cases(name, figures)
        long = _measure("raymon, global batches, shuffled", "criteo_like", directory, _LONG_EPOCHS)
    memory = long["memory"]
    targets = _targets(found["criteo_like"])
    growth = memory[-1] / memory[1]
    targets.append(Target("memory after 6 epochs over that after 2", growth, FLAT, growth <= FLAT))
    return Result("data", cases, targets)


def _round_robin(name: str, path: str, rounds: int) -> Figures:
    figures: Figures = {contender: [] for contender in CONTENDERS}
    for i in range(rounds):
        for contender in list(CONTENDERS) if i % 2 == 0 else reversed(CONTENDERS):
            figures[contender].append(_measure(contender, name, path, 2))
    return figures


def _measure(contender: str, name: str, path: str, epochs: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.contenders.readers", contender, name, path]
    done = subprocess.run(
        [*command, str(epochs)], capture_output=True, text=True, check=True, timeout=600
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _cases(name: str, found: Figures) -> list[Case]:
    cases = []
    for contender, rounds in found.items():
        speed = [r["rows"] / r["seconds"] / 1e6 for r in rounds]
        cpu = [r["cpu"] / r["rows"] * 1e6 for r in rounds]
        peak = [r["peak"] / 2**20 for r in rounds]
        cases.append(Case(contender, "million rows a second", speed, name))
        cases.append(Case(f"{contender}: CPU", "s a million rows", cpu, name))
        cases.append(Case(f"{contender}: memory", "MiB at most", peak, name))
    return cases


def _targets(found: Figures) -> list[Target]:
    def ratio(contender: str, peer: str) -> float:
        pairs = zip(found[contender], found[peer], strict=True)
        return statistics.median(p["seconds"] / c["seconds"] for c, p in pairs)

    targets = []
    for contender in ("raymon", "raymon, global batches"):
        of_pyarrow = ratio(contender, "pyarrow iter_batches alone")
        of_ray_data = ratio(contender, "ray.data")
        name = f"{contender}, of pyarrow alone"
        targets.append(Target(name, of_pyarrow, OF_PYARROW, of_pyarrow >= OF_PYARROW))
        name = f"{contender}, of ray.data"
        targets.append(Target(name, of_ray_data, OF_RAY_DATA, of_ray_data >= OF_RAY_DATA))
    return targets
