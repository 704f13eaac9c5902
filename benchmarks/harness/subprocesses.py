"""A benchmark in a process of its own, so that none finds what another left behind."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.harness.result import Result

LONGEST_S = 3_600


def measure(name: str, quick: bool, rounds: int | None = None) -> Result:
    """Runs a benchmark.

    Raises:
        subprocess.SubprocessError: It failed, or took an hour. What it said is on standard error.
    """
    command = [sys.executable, "-m", "benchmarks", name, "--json"]
    command += ["--quick"] * quick + (["--rounds", str(rounds)] if rounds else [])
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=LONGEST_S)
    # Ray and Lightning may have said something before.
    return Result.from_json(done.stdout[done.stdout.index('{\n "name"') :])
