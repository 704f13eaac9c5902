"""Every benchmark runs. No timing is looked at."""

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


def _benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("name", names())
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
