"""Benchmarks, and contenders, in processes of their own: none finds what another left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

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


def last_json(output: str) -> Any:
    """What the last line that is JSON says. Ray may have said something behind it.

    Raises:
        ValueError: No line is JSON.
    """
    for line in reversed(output.splitlines()):
        try:
            return json.loads(line)
        except ValueError:
            continue
    raise ValueError(f"no JSON in {output!r}")
