"""The lines of ranks that a table of ranks is about."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.runs import RankLine

_RECENT_S = 120.0
"""Seconds of steps, the newest ones, that a table is about of a run that goes on."""


def newest_rank_lines(lines: Sequence[RankLine], *, goes_on: bool) -> Sequence[RankLine]:
    """Returns the lines of the ranks of the last one.

    Args:
        lines: Lines of a run.
        goes_on: Whether the run goes on: then only lines of the last two minutes of steps.
    """
    if not goes_on:
        return [line for line in lines if line.numbers.ranks == lines[-1].numbers.ranks]
    seconds, place = 0.0, len(lines)
    while place > 0 and seconds < _RECENT_S:
        place -= 1
        if lines[place].numbers.ranks != lines[-1].numbers.ranks:
            return lines[place + 1 :]
        seconds += lines[place].seconds
    return lines[place:]
