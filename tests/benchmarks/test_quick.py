"""Every benchmark runs; for those that need Ray, in `tests/integration`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.harness.questions import names, question
from tests.benchmarks.quick import ROOT, WITHOUT_RAY, check_quick_form, run_benchmarks


@pytest.mark.parametrize("name", WITHOUT_RAY)
def test_a_benchmark_measures_what_its_stored_result_has(name: str) -> None:
    check_quick_form(name, run_benchmarks(name, "--quick", "--json"))


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
    lines = run_benchmarks().stdout.splitlines()
    assert len(lines) == len(names())
    for line, name in zip(lines, names(), strict=True):
        assert line.split(maxsplit=1) == [name, question(name)]
        assert len(question(name)) > 20


def test_a_benchmark_that_there_is_not_is_one_line_and_exit_code_2() -> None:
    done = run_benchmarks("nothing")
    assert done.returncode == 2
    assert "'nothing' is not one of" in done.stderr
