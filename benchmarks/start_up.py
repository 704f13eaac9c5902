"""How long until the first step: raymon beside a minimal `TorchTrainer`.

Two workers each, on one local cluster that runs already, in turns; a first round warms up and does
not count. Counted are the seconds from the call of `raymon.train`, or of the constructor and `fit`
of the trainer, until the later worker begins with its first step, and until the call returns after
5 steps and one checkpoint. Then the same of programs that connect to the cluster, `raymon train`
and a script, from the start of the process.

raymon reads a config, checks it and its data, and brings its reporter along. The trainer has a
model of the same layers, one batch in memory, and Ray's own settings.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.contenders.first_step import first_step, pipeline, pipeline_text
from benchmarks.contenders.minimal_trainer import minimal_run
from benchmarks.contenders.ray_defaults import ray_defaults
from benchmarks.harness import Case, Ratio, Result, Target, in_turns
from benchmarks.harness.cluster import local_cluster
from benchmarks.inputs.criteo_like import generate

ROUNDS = 3
LATER_S = 1.0
"""By how much raymon may begin later."""

ROWS = 4_096
RAYMON, MINIMAL = "raymon", "a minimal TorchTrainer"
CALL, PROGRAM = "from the call", "from the start of a program"
FIRST, END = "to the first step", "to the end"


@dataclass(frozen=True)
class Times:
    """Seconds to the first step of the later worker, and to the end."""

    first: float
    end: float


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders in turns."""
    address = local_cluster()
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        data = directory / "data"
        data.mkdir()
        generate(data, ROWS, ROWS // 2)
        starts: dict[tuple[str, str], Callable[[Path], object]] = {
            (CALL, RAYMON): partial(_train, data),
            (CALL, MINIMAL): _minimal,
        }
        if not quick:
            starts[PROGRAM, RAYMON] = partial(_command_line, data, address)
            starts[PROGRAM, MINIMAL] = partial(_script, address)
        number = iter(range(1_000_000))
        measures = {
            " ".join(name): partial(_measure, start, directory, number)
            for name, start in starts.items()
        }
        warm_up = 0 if quick else 1
        found = in_turns(measures, warm_up + rounds)
    cases: dict[tuple[str, str, str], Case] = {}
    for begin, name in starts:
        times = found[f"{begin} {name}"][warm_up:]
        for end, figures in ((FIRST, [t.first for t in times]), (END, [t.end for t in times])):
            cases[begin, end, name] = Case(name, "s", figures, f"{begin} {end}")
    ordered = [cases[key] for key in sorted(cases, key=lambda key: key[:2])]
    return Result("start_up", ordered, list(_ratios(cases)), [_later(cases)])


def _measure(start: Callable[[Path], object], directory: Path, number: Iterator[int]) -> Times:
    notes = directory / f"run-{next(number)}"
    notes.mkdir()
    began = time.time()
    start(notes)
    end = time.time() - began
    return Times(first_step(notes) - began, end)


def _train(data: Path, notes: Path) -> None:
    import raymon

    raymon.allow_custom_classes()
    # What it logs is made, and shown to nobody.
    with contextlib.redirect_stderr(io.StringIO()):
        raymon.train(pipeline(data, notes / "run", notes))


def _minimal(notes: Path) -> None:
    with ray_defaults():
        minimal_run(notes)


def _command_line(data: Path, address: str, notes: Path) -> None:
    config = notes / "pipeline.config"
    config.write_text(pipeline_text(data, notes / "run", notes))
    arguments = ["train", str(config), "--allow-custom-classes", "--address", address]
    _program("raymon.cli", *arguments)


def _script(address: str, notes: Path) -> None:
    with ray_defaults():
        _program("benchmarks.contenders.minimal_trainer", address, str(notes))


def _program(module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    # The cluster listens on the loopback interface alone, and this is how a program looks there.
    environment = {**os.environ, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    subprocess.run(command, capture_output=True, check=True, timeout=120, env=environment)


def _ratios(cases: Mapping[tuple[str, str, str], Case]) -> Iterator[Ratio]:
    for begin, end in dict.fromkeys(key[:2] for key in cases):
        ours, peer = cases[begin, end, RAYMON], cases[begin, end, MINIMAL]
        yield Ratio.share(f"seconds {begin} {end}", ours, peer, at_least=False)


def _later(cases: Mapping[tuple[str, str, str], Case]) -> Target:
    later = cases[CALL, FIRST, RAYMON].median - cases[CALL, FIRST, MINIMAL].median
    name = "seconds by which the first step of raymon is later"
    return Target(name, later, LATER_S, later <= LATER_S)
