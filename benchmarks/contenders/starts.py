"""Starts of raymon and of a minimal `TorchTrainer`, in turns, on a cluster of their environment.

This is a program, since an environment belongs to a process: its arguments are the number of
rounds, and the kinds of start. It prints seconds as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.contenders.first_step import first_step, pipeline, pipeline_text
from benchmarks.contenders.minimal_trainer import minimal_run
from benchmarks.contenders.ray_defaults import ray_defaults
from benchmarks.harness.cluster import local_cluster
from benchmarks.harness.subprocesses import last_json
from benchmarks.harness.turns import in_turns
from benchmarks.inputs.criteo_like import generate

ROWS = 4_096
RAYMON, MINIMAL = "raymon", "a minimal TorchTrainer"
CALL, PROGRAM = "from the call", "from the start of a program"

Times = tuple[float, float]
"""Seconds to the first step of the later worker, and to the end."""


def starts(python: Path, rounds: int, kinds: list[str]) -> dict[tuple[str, str], list[Times]]:
    """Returns the times of all rounds, by kind and contender.

    Args:
        python: Python of the environment.
        rounds: Number of rounds.
        kinds: `CALL`, `PROGRAM`, or both.
    """
    command = [str(python), "-m", "benchmarks.contenders.starts", str(rounds), *kinds]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=1_200)
    found = last_json(done.stdout)
    return {(kind, name): [(a, b) for a, b in times] for kind, name, times in found}


def main() -> None:
    """Measures the starts, and prints the times."""
    rounds, kinds = int(sys.argv[1]), sys.argv[2:]
    address = local_cluster()
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        data = directory / "data"
        data.mkdir()
        generate(data, ROWS, ROWS // 2)
        begin: dict[tuple[str, str], Callable[[Path], None]] = {
            (CALL, RAYMON): partial(_train, data),
            (CALL, MINIMAL): _minimal,
            (PROGRAM, RAYMON): partial(_command_line, data, address),
            (PROGRAM, MINIMAL): partial(_script, address),
        }
        number = iter(range(1_000_000))
        measures = {
            json.dumps(key): partial(_measure, start, directory, number)
            for key, start in begin.items()
            if key[0] in kinds
        }
        found = in_turns(measures, rounds)
    print(json.dumps([[*json.loads(key), times] for key, times in found.items()]))


def _measure(start: Callable[[Path], None], directory: Path, number: Iterator[int]) -> Times:
    notes = directory / f"run-{next(number)}"
    notes.mkdir()
    began = time.time()
    start(notes)
    end = time.time() - began
    return first_step(notes) - began, end


def _train(data: Path, notes: Path) -> None:
    import raymon

    raymon.allow_custom_classes()
    # The log lines are made as for a user, but not shown.
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
    # The cluster listens only on the loopback interface; this makes a program look for it there.
    environment = {**os.environ, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    subprocess.run(command, capture_output=True, check=True, timeout=120, env=environment)


if __name__ == "__main__":
    main()
