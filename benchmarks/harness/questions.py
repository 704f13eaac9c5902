"""The benchmarks that there are: the modules of this package, one for each question."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import benchmarks
from benchmarks.harness.result import Result


class Benchmark(Protocol):
    """The module of a benchmark.

    Attributes:
        ROUNDS: Default number of rounds.
    """

    ROUNDS: int

    def run(self, rounds: int, quick: bool) -> Result:
        """Measures.

        Args:
            rounds: Number of rounds, in each of which all contenders are measured once.
            quick: Whether inputs are so small that everything is over within a minute.
        """


def names() -> list[str]:
    """Returns the names of all benchmarks, in alphabetical order."""
    modules = pkgutil.iter_modules(benchmarks.__path__)
    return sorted(m.name for m in modules if not m.ispkg and m.name != "__main__")


def question(name: str) -> str:
    """Returns the question that a benchmark answers: the first line of its file."""
    source = (Path(benchmarks.__path__[0]) / f"{name}.py").read_text(encoding="utf-8")
    # Read without an import, which would load Ray, torch and all peers.
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def missing(benchmark: Benchmark) -> str | None:
    """Returns what this machine lacks for a benchmark, in a line; None if it lacks nothing.

    A benchmark that not every machine can run has a function `missing` that says so.
    """
    ask: Callable[[], str | None] = getattr(benchmark, "missing", lambda: None)
    return ask()


def load(name: str) -> Benchmark:
    """Returns the benchmark of a name."""
    return cast(Benchmark, importlib.import_module(f"benchmarks.{name}"))
