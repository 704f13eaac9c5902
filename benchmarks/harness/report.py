"""The table of all results, in Markdown, and the plots that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.harness import plots
from benchmarks.harness.questions import question
from benchmarks.harness.result import Case, Ratio, Result, Target, number

TABLE = "README.md"


def write(results: Mapping[str, Result], folder: Path) -> None:
    """Writes the table and the plots into a folder.

    Args:
        results: Results by name.
        folder: Folder of the files.
    """
    drawn = {name: plots.draw(result, folder / f"{name}.svg") for name, result in results.items()}
    lines = [*_head(results), *_targets(results), *_behind(results)]
    for name, result in results.items():
        lines += _benchmark(result, drawn[name])
    (folder / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _head(results: Mapping[str, Result]) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield "`make bench` makes this page. A ratio compares contenders that took turns in one run, so"
    yield "it says more than the times do, which are those of one machine. The figure is the median"
    yield "of the rounds; in brackets stand the lowest and the highest."
    yield ""
    measured: dict[tuple[str, str, str], list[str]] = {}
    for name, result in results.items():
        versions = ", ".join(f"{k} {v}" for k, v in result.versions.items())
        measured.setdefault((result.machine, versions, result.commit), []).append(name)
    for (machine, versions, commit), names in measured.items():
        which = "All" if len(measured) == 1 else ", ".join(f"`{name}`" for name in names)
        yield f"- {which}: {machine}; {versions}" + (f"; commit {commit}" if commit else "")
    yield ""


def _targets(results: Mapping[str, Result]) -> Iterator[str]:
    yield "## What raymon promises"
    yield ""
    yield "| benchmark | what | figure | target | | raymon | beside |"
    yield "|---|---|---|---|---|---|---|"
    for name, result in results.items():
        for ratio in result.ratios:
            if ratio.target is not None:
                limit = f"{'at least' if ratio.at_least else 'at most'} {ratio.target:g}"
                cells = (_spread(ratio), limit, _met(ratio), ratio.ours, ratio.peer)
                yield _row(f"`{name}`", ratio.name, *cells)
        for target in result.limits:
            cells = (number(target.figure), f"{target.target:g}", _met(target), "", "")
            yield _row(f"`{name}`", target.name, *cells)
    yield ""


def _behind(results: Mapping[str, Result]) -> Iterator[str]:
    yield "## What raymon is not better at"
    yield ""
    rows = [
        (name, ratio)
        for name, result in results.items()
        for ratio in result.ratios
        if not ratio.is_better
    ]
    if not rows:
        yield "Nothing of what is measured here."
    else:
        yield "| benchmark | what | ratio | raymon | beside |"
        yield "|---|---|---|---|---|"
        for name, ratio in rows:
            yield _row(f"`{name}`", ratio.name, _spread(ratio), ratio.ours, ratio.peer)
    yield ""


def _benchmark(result: Result, plot: Path | None) -> Iterator[str]:
    yield f"## {question(result.name)}"
    yield ""
    yield f"`python -m benchmarks {result.name}`"
    yield ""
    if plot is not None:
        yield f"![{result.name}]({plot.name})"
        yield ""
    others = [ratio for ratio in result.ratios if ratio.target is None]
    if others:
        yield "| beside others | ratio | raymon | beside |"
        yield "|---|---|---|---|"
        for ratio in others:
            yield _row(ratio.name, _spread(ratio), ratio.ours, ratio.peer)
        yield ""
    yield "<details><summary>All figures</summary>"
    yield ""
    yield "| asked | contender | median | spread | rounds | error |"
    yield "|---|---|---|---|---|---|"
    for case in result.cases:
        yield _row(*_case(case))
    yield ""
    yield "</details>"
    yield ""
    if result.assumptions:
        yield "Assumed:"
        yield ""
        for sentence in result.assumptions:
            yield f"- {sentence}"
        yield ""


def _case(case: Case) -> tuple[str, ...]:
    spread = f"{case.spread:.0%}" if len(case.figures) > 1 else ""
    error = "" if case.error is None else f"{case.error:.1e}"
    median = f"{number(case.median)} {case.unit}"
    return case.asked, case.contender, median, spread, str(len(case.figures)), error


def _spread(ratio: Ratio) -> str:
    if len(ratio.figures) < 2:
        return number(ratio.figure)
    low, high = number(min(ratio.figures)), number(max(ratio.figures))
    return f"**{number(ratio.figure)}** ({low} to {high})"


def _met(target: Ratio | Target) -> str:
    return "met" if target.met else "**missed**"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
