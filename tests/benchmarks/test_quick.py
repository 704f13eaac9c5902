"""Every benchmark runs, most in the soak; for those that need Ray, in `tests/integration`."""

from __future__ import annotations

import importlib

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.harness.questions import names, question
from tests.benchmarks.quick import ROOT, WITHOUT_RAY, check_quick_form, run_benchmarks

SHORT = "sinks"
"""The benchmark that shows in each `make test` that they can be run, and what they are held to."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == SHORT else pytest.mark.soak) for name in WITHOUT_RAY],
)
def test_a_benchmark_measures_what_its_stored_result_has(name: str) -> None:
    check_quick_form(name, run_benchmarks(name, "--quick", "--json"))


def test_everything_that_benchmarks_import_is_there() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "benchmarks").rglob("*.py"))
        if path.stem not in ("__init__", "__main__")
    ]
    assert len(modules) > len(names())
    for module in modules:
        importlib.import_module(module)


def test_all_benchmarks_are_listed_with_their_questions() -> None:
    lines = CliRunner().invoke(main).output.splitlines()
    assert len(lines) == len(names())
    for line, name in zip(lines, names(), strict=True):
        assert line.split(maxsplit=1) == [name, question(name)]
        assert len(question(name)) > 20


def test_a_benchmark_that_there_is_not_is_one_line_and_exit_code_2() -> None:
    done = CliRunner().invoke(main, ["nothing"])
    assert done.exit_code == 2
    assert "'nothing' is not one of" in done.stderr
