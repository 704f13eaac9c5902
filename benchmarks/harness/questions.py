"""The benchmarks that there are: the modules of this package, one a question."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast

import benchmarks
from benchmarks.harness.result import Result


class Benchmark(Protocol):
    """A module of a benchmark.

    Attributes:
        ROUNDS: How many it takes by default.
    """

    ROUNDS: int

    def run(self, rounds: int, quick: bool) -> Result:
        """Measures.

        Args:
            rounds: In each of which all contenders are measured once.
            quick: With inputs so small that all is over within a minute.
        """


def names() -> list[str]:
    """Of all benchmarks, in the order of the alphabet."""
    modules = pkgutil.iter_modules(benchmarks.__path__)
    return sorted(m.name for m in modules if not m.ispkg and m.name != "__main__")


def question(name: str) -> str:
    """What the benchmark answers: the first line of its file."""
    source = (Path(benchmarks.__path__[0]) / f"{name}.py").read_text(encoding="utf-8")
    # Not imported, as a list is no reason to load Ray, torch and all peers.
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def load(name: str) -> Benchmark:
    """The benchmark of this name."""
    return cast(Benchmark, importlib.import_module(f"benchmarks.{name}"))
