"""Every benchmark runs. No timing is looked at.

Those that start Ray take five minutes together, and are run by `make soak`; that all that they
import is there is seen here.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness import store
from benchmarks.harness.questions import names, question

ROOT = Path(__file__).parents[2]
WITHOUT_RAY = ("evaluation", "metrics", "sinks")


def _benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    "name",
    [
        name if name in WITHOUT_RAY else pytest.param(name, marks=pytest.mark.soak)
        for name in names()
    ],
)
def test_a_benchmark_measures_what_its_stored_result_has(name: str) -> None:
    done = _benchmarks(name, "--quick", "--json")
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


def test_everything_that_benchmarks_import_is_there() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "benchmarks").rglob("*.py"))
        if path.stem not in ("__init__", "__main__")
    ]
    assert len(modules) > len(names())
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_all_benchmarks_are_listed_with_their_questions() -> None:
    lines = _benchmarks().stdout.splitlines()
    assert len(lines) == len(names())
    for line, name in zip(lines, names(), strict=True):
        assert line.split(maxsplit=1) == [name, question(name)]
        assert len(question(name)) > 20


def test_a_benchmark_that_there_is_not_is_one_line_and_exit_code_2() -> None:
    done = _benchmarks("nothing")
    assert done.returncode == 2
    assert "'nothing' is not one of" in done.stderr
