"""Benchmarks and contenders in processes of their own, so that none affects the next one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.harness.result import Result

LONGEST_S = 3_600
"""Most seconds of a benchmark."""

_BEGIN = '{\n "name"'
"""The beginning of a result."""


class NotMeasuredError(Exception):
    """The machine lacks what a benchmark needs."""


def measure(name: str, quick: bool, rounds: int | None = None) -> Result:
    """Runs a benchmark in a process of its own.

    Raises:
        subprocess.SubprocessError: It failed, or took more than an hour; its messages are on
            standard error.
        NotMeasuredError: This machine lacks what it needs.
    """
    command = [sys.executable, "-m", "benchmarks", name, "--json"]
    command += ["--quick"] * quick + (["--rounds", str(rounds)] if rounds else [])
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=LONGEST_S)
    if _BEGIN not in done.stdout:
        raise NotMeasuredError(done.stdout.strip())
    # Ray and Lightning may have printed something before.
    return Result.from_json(done.stdout[done.stdout.index(_BEGIN) :])


def last_json(output: str) -> Any:
    """Returns the value of the last line that is JSON; Ray may have printed something after it.

    Raises:
        ValueError: No line is JSON.
    """
    for line in reversed(output.splitlines()):
        try:
            return json.loads(line)
        except ValueError:
            continue
    raise ValueError(f"no JSON in {output!r}")
