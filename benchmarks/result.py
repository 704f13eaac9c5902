"""What a benchmark found, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

import torch


@dataclass(frozen=True)
class Case:
    """The figures of one contender.

    Attributes:
        contender: Who.
        unit: Of the figures.
        figures: One a round.
        question: What the contender was asked, where there are several.
        error: How far its answer is from the exact one, where that is known.
    """

    contender: str
    unit: str
    figures: Sequence[float]
    question: str = ""
    error: float | None = None

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.figures)

    @property
    def spread(self) -> float:
        """The range of the rounds over their median."""
        return (max(self.figures) - min(self.figures)) / self.median if self.median else 0.0


@dataclass(frozen=True)
class Target:
    """A figure that has to be reached."""

    name: str
    figure: float
    target: float
    met: bool


@dataclass(frozen=True)
class Result:
    """The cases of one run of a benchmark, and whether its targets are met."""

    name: str
    cases: Sequence[Case]
    targets: Sequence[Target]

    def table(self) -> str:
        """For a person."""
        lines = [f"{self.name} ({machine()})", ""]
        for question, asked in groupby(self.cases, key=lambda case: case.question):
            cases = list(asked)
            if question:
                lines.append(f"  {question}")
            lines += [_line(case, _is_fastest(case, cases)) for case in cases]
        lines.append("")
        for target in self.targets:
            word = "met" if target.met else "missed"
            figure = _figure(target.figure)
            lines.append(f"  {target.name}: {figure}, target {target.target:g}: {word}")
        return "\n".join(lines)

    def to_json(self) -> str:
        """For a program."""
        cases = [{**asdict(c), "median": c.median, "spread": c.spread} for c in self.cases]
        targets = [asdict(target) for target in self.targets]
        return json.dumps(
            {"name": self.name, "machine": machine(), "cases": cases, "targets": targets}
        )


def _is_fastest(case: Case, cases: Sequence[Case]) -> bool:
    """Whether nobody else answers the same question in less time."""
    return len(cases) > 1 and case.unit == "ms" and case is min(cases, key=lambda c: c.median)


def _line(case: Case, fastest: bool) -> str:
    line = f"  {case.contender:<36} {_figure(case.median):>14} {case.unit}"
    if len(case.figures) > 1:
        line += f"  (spread {case.spread:.0%}, {len(case.figures)} rounds)"
    if case.error is not None and case.unit != "error":
        line += f"  error {case.error:.1e}"
    return line + "  fastest" * fastest


def _figure(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 1_000 else f"{figure:.4g}"


def machine() -> str:
    """The hardware and the versions that figures depend on."""
    return (
        f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )
