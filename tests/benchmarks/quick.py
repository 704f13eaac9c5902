"""Quick forms of benchmarks, and what holds for each."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import store

ROOT = Path(__file__).parents[2]
WITHOUT_RAY = (
    "embeddings", "evaluation", "metrics", "sharded_tables", "sinks", "table_health",
)  # fmt: skip
WITH_GPU = ("gpu",)
WITH_BROWSER = ("board",)


def run_benchmarks(*arguments: str, address: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `python -m benchmarks`, on the Ray cluster at an address if there is one."""
    command = [sys.executable, "-m", "benchmarks", *arguments]
    environment = dict(os.environ)
    if address is not None:
        environment["RAY_ADDRESS"] = address
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment
    )


def check_quick_form(name: str, done: subprocess.CompletedProcess[str]) -> None:
    """Checks that a benchmark measured something, and has what its stored result has."""
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout[done.stdout.index('{\n "name"') :])
    assert result["name"] == name
    figures = [figure for case in result["cases"] for figure in case["figures"]]
    assert figures
    assert all(math.isfinite(figure) for figure in figures)
    assert all(ratio["figures"] for ratio in result["ratios"])
    assert {"name", "figure", "target", "met"} == set().union(*result["targets"] or [{}]) or (
        not result["targets"]
    )
    stored = store.read(quick=True)[name]
    assert [ratio["name"] for ratio in result["ratios"]] == [r.name for r in stored.ratios]
