"""`/api/runs/{id}/ranks` and `/anatomy`: where the time of single ranks goes, and of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from raymon.board.rank_sums import RankSums
from raymon.board.web.answers.numbers import listed, significant
from raymon.board.web.answers.rank_cells import LAG, RankCells
from raymon.board.web.query import Query, QueryError
from raymon.results import LEVELS, PHASES, Anatomy
from raymon.runs import RankLine, Run

_MOST_COLUMNS = 400


def ranks(run: Run, query: Query) -> dict[str, Any]:
    """Returns a heat map: a `number` of each rank (a row) in cells of steps (the columns).

    Seconds are those of a step. Other parameters are `from` and `to`, steps, and `columns`.
    """
    name, columns = query.text("number", LAG), query.whole("columns", 200, 1, _MOST_COLUMNS)
    lines = _between(run.rank_lines, query)
    names = _names(run.rank_lines)
    if name not in (LAG, *names):
        raise QueryError(f"number is {name[:40]!r}, which no rank has")
    cells = RankCells.of(lines, name, columns)
    return {
        "number": name,
        "numbers": [LAG, *names],
        "unit": _unit(name),
        "x": list(cells.first_steps),
        "end": lines[-1].end_step if lines else None,
        "time": listed(np.array(cells.times)),
        "ranks": list(cells.ranks),
        "values": significant(cells.values),
    }


def anatomy(run: Run, query: Query) -> dict[str, Any]:
    """Returns the seconds a step by phase: of the mean, the median and the slowest rank.

    `from` and `to` are steps; without them it is about all steps of the newest attempt.
    """
    lines = _of_newest_ranks(_between(run.rank_lines, query))
    sums = RankSums.of(lines)
    summed = None if sums is None else sums.numbers
    found = Anatomy.of(summed)
    # Between the lines of a large run, of which some are there, are others.
    steps = sum(line.end_step - line.first_step for line in lines)
    phases = [phase for phase in PHASES if phase in found.median]
    if summed is None or not steps or not phases:
        return {"phases": [], "mean": {}, "median": {}, "slowest": {}, "slowest_rank": None,
                "steps": 0, "unit": "s/step"}  # fmt: skip
    # A rank that was never in a phase spent no time there.
    count = len(summed.ranks)
    mean = {phase: float(np.nansum(summed.column(phase))) / count / steps for phase in phases}
    return {
        "phases": phases,
        "mean": mean,
        "median": {phase: found.median[phase] / steps for phase in phases},
        "slowest": {phase: found.slowest[phase] / steps for phase in phases},
        "slowest_rank": found.slowest_rank,
        "steps": steps,
        "unit": "s/step",
    }


def _between(lines: Sequence[RankLine], query: Query) -> Sequence[RankLine]:
    first, last = query.number("from"), query.number("to")
    if first is None and last is None:
        return lines
    return [
        line
        for line in lines
        if (first is None or line.end_step > first) and (last is None or line.first_step <= last)
    ]


def _of_newest_ranks(lines: Sequence[RankLine]) -> Sequence[RankLine]:
    """Returns the last lines, of the same ranks."""
    place = len(lines)
    while place > 0 and lines[place - 1].numbers.ranks == lines[-1].numbers.ranks:
        place -= 1
    return lines[place:]


def _names(lines: Sequence[RankLine]) -> list[str]:
    """Returns the names of the numbers of ranks: phases first, in their order."""
    found = dict.fromkeys(name for kind in {line.numbers.names for line in lines} for name in kind)
    phases = [phase for phase in PHASES if phase in found]
    return [*phases, *sorted(name for name in found if name not in phases)]


def _unit(name: str) -> str:
    if name in LEVELS:
        return "bytes" if name.endswith("bytes") else ""
    return "s/step"
