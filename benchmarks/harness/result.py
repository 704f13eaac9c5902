"""The result of a benchmark, as a table and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

from benchmarks.harness.machine import commit, machine, versions


@dataclass(frozen=True)
class Case:
    """The figures of one contender.

    Attributes:
        contender: Name of the contender.
        unit: Unit of the figures.
        figures: Figure of each round.
        question: What was measured, if there are several such things.
        size: Size of the input, if there are several, as a number of rows or ranks.
        size_unit: Unit of the size.
        error: Absolute difference from the exact value, if that is known.
    """

    contender: str
    unit: str
    figures: Sequence[float]
    question: str = ""
    size: int | None = None
    size_unit: str = "rows"
    error: float | None = None

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.figures)

    @property
    def spread(self) -> float:
        """The range of the rounds, divided by their median."""
        return (max(self.figures) - min(self.figures)) / self.median if self.median else 0.0

    @property
    def asked(self) -> str:
        """The question with its size."""
        size = "" if self.size is None else f"{self.size:,} {self.size_unit}"
        return ", ".join(part for part in (self.question, size) if part)


@dataclass(frozen=True)
class Ratio:
    """A comparison of raymon with a peer, within one run and so in one state of the machine.

    Attributes:
        name: Name of what is compared.
        figures: Ratio of each round.
        ours: Figure of raymon, with its unit.
        peer: Name and figure of the peer.
        at_least: Whether more is better.
        target: Ratio that has to be reached; None if there is no target.
        slack: How far a figure may be off on any machine. `bench-check` adds it to its band.
    """

    name: str
    figures: Sequence[float]
    ours: str = ""
    peer: str = ""
    at_least: bool = True
    target: float | None = None
    slack: float = 0.0

    @classmethod
    def faster(cls, name: str, ours: Case, peer: Case, target: float | None = None) -> Ratio:
        """Returns the ratio of the peer's time to raymon's."""
        named = f"{peer.contender}: {_with_unit(peer)}"
        return cls(name, _over(peer, ours), _with_unit(ours), named, target=target)

    @classmethod
    def share(
        cls,
        name: str,
        ours: Case,
        peer: Case,
        target: float | None = None,
        *,
        at_least: bool = True,
        slack: float = 0.0,
    ) -> Ratio:
        """Returns the ratio of raymon's figure to the peer's."""
        named = f"{peer.contender}: {_with_unit(peer)}"
        return cls(name, _over(ours, peer), _with_unit(ours), named, at_least, target, slack)

    @property
    def figure(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.figures)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None if there is no target."""
        if self.target is None:
            return None
        return self.figure >= self.target if self.at_least else self.figure <= self.target

    @property
    def is_better(self) -> bool:
        """Whether raymon is at least as good as the peer."""
        return self.figure >= 1 if self.at_least else self.figure <= 1


@dataclass(frozen=True)
class Target:
    """A figure that has to be reached, and that is not a ratio.

    Attributes:
        name: Name of the figure.
        figure: The figure.
        target: Limit of the figure.
        met: Whether the target is reached.
    """

    name: str
    figure: float
    target: float
    met: bool


@dataclass(frozen=True)
class Result:
    """The cases of one run of a benchmark, its ratios, and whether its targets are met.

    Attributes:
        name: Name of the benchmark.
        cases: Everything that was measured.
        ratios: Comparisons of raymon with its peers.
        limits: Targets that are not ratios, such as errors and counts.
        assumptions: Assumptions behind the figures that were not measured, a sentence each.
        machine: Hardware and system.
        versions: Versions of Python and of the packages that are measured.
        commit: Commit that is measured.
    """

    name: str
    cases: Sequence[Case]
    ratios: Sequence[Ratio]
    limits: Sequence[Target] = ()
    assumptions: Sequence[str] = ()
    machine: str = field(default_factory=machine)
    versions: Mapping[str, str] = field(default_factory=versions)
    commit: str = field(default_factory=commit)

    @property
    def targets(self) -> list[Target]:
        """All targets, those of ratios first."""
        of_ratios = [
            Target(ratio.name, ratio.figure, ratio.target, bool(ratio.met))
            for ratio in self.ratios
            if ratio.target is not None
        ]
        return [*of_ratios, *self.limits]

    def table(self) -> str:
        """Returns the result as a text for people."""
        lines = [f"{self.name} ({self.machine})", ""]
        for asked, group in groupby(self.cases, key=lambda case: case.asked):
            cases = list(group)
            if asked:
                lines.append(f"  {asked}")
            lines += [_line(case, _is_fastest(case, cases)) for case in cases]
        lines.append("")
        for ratio in self.ratios:
            low, high = min(ratio.figures), max(ratio.figures)
            spread = f" ({number(low)} to {number(high)})" if len(ratio.figures) > 1 else ""
            lines.append(f"  {ratio.name}: {number(ratio.figure)}{spread}{_judged(ratio)}")
        for target in self.limits:
            lines.append(f"  {target.name}: {number(target.figure)}{_judged(target)}")
        lines += [f"  assumed: {sentence}" for sentence in self.assumptions]
        return "\n".join(lines)

    def to_json(self) -> str:
        """Returns the result as JSON.

        Its keys are `name`, `machine`, `versions`, `commit`, `cases`, `ratios`, `targets`, `limits`
        and `assumptions`.
        """
        return json.dumps(
            {
                "name": self.name,
                "machine": self.machine,
                "versions": dict(self.versions),
                "commit": self.commit,
                "cases": [
                    {**asdict(c), "median": c.median, "spread": c.spread} for c in self.cases
                ],
                "ratios": [{**asdict(r), "figure": r.figure, "met": r.met} for r in self.ratios],
                "targets": [asdict(target) for target in self.targets],
                "limits": [asdict(target) for target in self.limits],
                "assumptions": list(self.assumptions),
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Returns the result that `to_json` wrote."""
        read: dict[str, Any] = json.loads(text)

        def parts(key: str, leave: tuple[str, ...] = ()) -> list[dict[str, Any]]:
            return [{k: v for k, v in part.items() if k not in leave} for part in read[key]]

        return cls(
            read["name"],
            [Case(**part) for part in parts("cases", ("median", "spread"))],
            [Ratio(**part) for part in parts("ratios", ("figure", "met"))],
            [Target(**part) for part in parts("limits")],
            read["assumptions"],
            read["machine"],
            read["versions"],
            read["commit"],
        )


def number(figure: float) -> str:
    """Returns a figure as text."""
    return f"{figure:,.0f}" if abs(figure) >= 1_000 else f"{figure:.3g}"


def _over(one: Case, other: Case) -> list[float]:
    if len(one.figures) != len(other.figures):
        return [one.median / other.median]
    return [a / b for a, b in zip(one.figures, other.figures, strict=True)]


def _with_unit(case: Case) -> str:
    return f"{number(case.median)} {case.unit}"


def _judged(target: Ratio | Target) -> str:
    if target.target is None:
        return ""
    return f", target {target.target:g}: {'met' if target.met else 'missed'}"


def _is_fastest(case: Case, cases: Sequence[Case]) -> bool:
    """Returns whether no other contender takes less time for the same question."""
    return len(cases) > 1 and case.unit == "ms" and case is min(cases, key=lambda c: c.median)


def _line(case: Case, fastest: bool) -> str:
    line = f"  {case.contender:<44} {number(case.median):>12} {case.unit}"
    if len(case.figures) > 1:
        line += f"  (spread {case.spread:.0%}, {len(case.figures)} rounds)"
    if case.error is not None and case.unit != "error":
        line += f"  error {case.error:.1e}"
    return line + "  fastest" * fastest
