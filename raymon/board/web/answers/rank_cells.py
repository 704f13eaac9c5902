"""The numbers of ranks in cells of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raymon.board.rank_sums import RankSums
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
        ranks = sorted({rank for kind in {line.numbers.ranks for line in lines} for rank in kind})
        parts = [part for part in np.array_split(np.arange(len(lines)), most) if len(part)]
        cells = [[lines[place] for place in part.tolist()] for part in parts]
        names = OWN_PHASES if number == LAG else (number,)
        values = np.full((len(ranks), len(cells)), np.nan)
        for place, cell in enumerate(cells):
            sums = RankSums.of(cell)
            if sums is not None:
                rows = np.searchsorted(ranks, sums.numbers.ranks)
                values[rows, place] = _number(sums, names)
        if number == LAG:
            values = _lag(values)
        return cls(
            ranks,
            [cell[0].first_step for cell in cells],
            [cell[-1].time for cell in cells],
            values,
        )


def _number(sums: RankSums, names: Sequence[str]) -> NDArray[np.float64]:
    """Returns the sum of numbers a step, or the newest of a level, `[R]`."""
    numbers = sums.numbers
    columns = [numbers.column(name) for name in names if name in numbers.names]
    if names[0] in LEVELS:
        return np.asarray(columns[0] if columns else np.nan, np.float64)
    # A rank that tells none of its times has none; a phase that nobody was in takes no time.
    of_time = [place for place, name in enumerate(numbers.names) if name not in LEVELS]
    tells = ~np.isnan(numbers.values[:, of_time]).all(axis=1)
    summed = (
        np.nansum(columns, axis=0, dtype=np.float64) if columns else np.zeros(len(numbers.ranks))
    )
    return np.asarray(summed / np.where(tells & (sums.steps > 0), sums.steps, np.nan))


def _lag(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the seconds by which own work takes longer than that of the others, `[R, C]`."""
    lag = np.full(own.shape, np.nan)
    for column in range(own.shape[1]):
        known = np.flatnonzero(~np.isnan(own[:, column]))
        if len(known) > 1:
            values = own[known, column]
            lag[known, column] = values - median_of_others(values)
    return lag
