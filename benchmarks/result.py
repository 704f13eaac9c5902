"""What a benchmark found, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch


@dataclass(frozen=True)
class Case:
    """The figures of one contender.

    Attributes:
        contender: Who.
        unit: Of the figures.
        figures: One a round.
    """

    contender: str
    unit: str
    figures: Sequence[float]

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.figures)

    @property
    def spread(self) -> float:
        """The range of the rounds over their median."""
        return (max(self.figures) - min(self.figures)) / self.median


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
        for case in self.cases:
            lines.append(
                f"  {case.contender:<32} {case.median:>14,.1f} {case.unit}  "
                f"(spread {case.spread:.0%}, {len(case.figures)} rounds)"
            )
        lines.append("")
        for target in self.targets:
            word = "met" if target.met else "missed"
            lines.append(f"  {target.name}: {target.figure:.3f}, target {target.target:g}: {word}")
        return "\n".join(lines)

    def to_json(self) -> str:
        """For a program."""
        cases = [{**asdict(c), "median": c.median, "spread": c.spread} for c in self.cases]
        targets = [asdict(target) for target in self.targets]
        return json.dumps(
            {"name": self.name, "machine": machine(), "cases": cases, "targets": targets}
        )


def machine() -> str:
    """The hardware and the versions that figures depend on."""
    return (
        f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )
