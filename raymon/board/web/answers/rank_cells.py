"""The numbers of ranks in cells of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raymon.diagnosis import median_of_others
from raymon.results import LEVELS, OWN_PHASES
from raymon.runs import RankLine

LAG = "lag"
"""Seconds of a rank's own work in a step above the median of the others."""


@dataclass(frozen=True)
class RankCells:
    """A number of each rank in each of some cells.

    Attributes:
        ranks: The R ranks, in ascending order.
        first_steps: First step of each of the C cells.
        times: Seconds since 1970, UTC, at the end of each cell; NaN if they are not known.
        values: Numbers, `[R, C]`, a step or as levels; NaN where a rank has none.
    """

    ranks: Sequence[int]
    first_steps: Sequence[int]
    times: Sequence[float]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, lines: Sequence[RankLine], number: str, most: int) -> RankCells:
        """Returns a number in at most `most` cells, each of as many lines."""
        ranks = sorted({rank for numbers in _kinds(lines) for rank in numbers})
        parts = [part for part in np.array_split(np.arange(len(lines)), most) if len(part)]
        cells = [[lines[place] for place in part.tolist()] for part in parts]
        names = OWN_PHASES if number == LAG else (number,)
        values = np.full((len(ranks), len(cells)), np.nan)
        for place, cell in enumerate(cells):
            values[:, place] = _number(cell, names, ranks)
        if number == LAG:
            values = _lag(values)
        return cls(
            ranks,
            [cell[0].first_step for cell in cells],
            [cell[-1].time for cell in cells],
            values,
        )


def _kinds(lines: Sequence[RankLine]) -> set[tuple[int, ...]]:
    return {line.numbers.ranks for line in lines}


def _number(
    lines: Sequence[RankLine], names: Sequence[str], ranks: Sequence[int]
) -> NDArray[np.float64]:
    """Returns the sum of numbers a step over some lines, or the newest of a level, `[R]`."""
    place = {rank: row for row, rank in enumerate(ranks)}
    is_level = names[0] in LEVELS
    summed, steps = np.full(len(ranks), np.nan), np.zeros(len(ranks))
    for line in lines:
        rows = [place[rank] for rank in line.numbers.ranks]
        columns = [line.numbers.column(name) for name in names if name in line.numbers.names]
        if not columns:
            continue
        found = np.array(columns, np.float64)
        has_any = ~np.isnan(found).all(axis=0)
        values = np.where(has_any, np.nansum(found, axis=0), np.nan)
        if is_level:
            summed[rows] = np.where(has_any, values, summed[rows])
            continue
        before = summed[rows]
        both = np.nan_to_num(before) + np.nan_to_num(values)
        summed[rows] = np.where(has_any, both, before)
        steps[rows] += np.where(has_any, line.end_step - line.first_step, 0)
    return summed if is_level else summed / np.where(steps > 0, steps, np.nan)


def _lag(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the seconds by which own work takes longer than that of the others, `[R, C]`."""
    lag = np.full(own.shape, np.nan)
    for column in range(own.shape[1]):
        known = np.flatnonzero(~np.isnan(own[:, column]))
        if len(known) > 1:
            values = own[known, column]
            lag[known, column] = values - median_of_others(values)
    return lag
