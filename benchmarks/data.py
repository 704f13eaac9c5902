"""How fast are batches made of Parquet: raymon, pyarrow alone, torch's DataLoader, ray.data.

All but pyarrow alone make the same features of the same columns, with raymon's code for them. Each
contender runs in a process of its own, and is timed from its second epoch on; the contenders take
turns in every round. The `DataLoader` reads an `IterableDataset` whose workers share the files,
`ray.data` reads by `read_parquet`, `map_batches` and `iter_torch_batches`, as in their guides.

If `KUAIRAND_DIR` names a directory with `train/*.parquet` of KuaiRand, that is read too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contenders.readers import CONTENDERS, GLOBAL, PYARROW, SHUFFLED
from benchmarks.harness import Case, Ratio, Result, Target, in_turns
from benchmarks.harness.subprocesses import last_json
from benchmarks.inputs.criteo_like import generate

ROUNDS = 3
ROWS, QUICK_ROWS = 2_000_000, 100_000
OF_PYARROW, OF_RAY_DATA, FLAT = 0.9, 5.0, 1.1
_LONG_EPOCHS = 6

Figures = dict[str, list[dict[str, Any]]]


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders in turns."""
    cases: dict[tuple[str, str], Case] = {}
    limits = []
    with tempfile.TemporaryDirectory() as directory:
        generate(Path(directory), QUICK_ROWS if quick else ROWS)
        sources = {"criteo_like": directory}
        if "KUAIRAND_DIR" in os.environ and not quick:
            sources["kuairand"] = str(Path(os.environ["KUAIRAND_DIR"]) / "train")
        for source, path in sources.items():
            measures = {name: partial(_measure, name, source, path, 2) for name in CONTENDERS}
            for case in _cases(source, in_turns(measures, rounds)):
                cases[source, case.contender] = case
        if not quick:
            memory = _measure(SHUFFLED, "criteo_like", directory, _LONG_EPOCHS)["memory"]
            growth = memory[-1] / memory[1]
            name = "memory after 6 epochs over that after 2"
            limits.append(Target(name, growth, FLAT, growth <= FLAT))
    return Result("data", list(cases.values()), list(_ratios(cases)), limits)


def _measure(contender: str, name: str, path: str, epochs: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.contenders.readers", contender, name, path]
    done = subprocess.run(
        [*command, str(epochs)], capture_output=True, text=True, check=True, timeout=600
    )
    figures: dict[str, Any] = last_json(done.stdout)
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


def _ratios(cases: Mapping[tuple[str, str], Case]) -> Iterator[Ratio]:
    peers = {
        PYARROW: OF_PYARROW,
        "torch DataLoader, 2 processes": None,
        "ray.data": OF_RAY_DATA,
    }
    for ours in ("raymon", GLOBAL):
        for peer, target in peers.items():
            name = f"{ours}: rows/s over those of {peer}"
            yield Ratio.share(name, cases["criteo_like", ours], cases["criteo_like", peer], target)
