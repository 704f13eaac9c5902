"""The numbers of ranks, added up over lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raymon.results import LEVELS, RankNumbers
from raymon.runs import RankLine


@dataclass(frozen=True)
class RankSums:
    """The numbers of ranks over some lines: sums, and the newest of those that are levels.

    Attributes:
        numbers: The numbers. A line that lacks a name has none of it, so that it counts as 0,
            but for levels.
        steps: Steps in which each rank was, `[R]`.
    """

    numbers: RankNumbers
    steps: NDArray[np.int64]

    @classmethod
    def of(cls, lines: Sequence[RankLine]) -> RankSums | None:
        """Returns the sums of lines; None if there are none.

        Lines are of few kinds, each with the same ranks and names, whose arrays are added at once.
        """
        kinds = dict[tuple[tuple[str, ...], tuple[int, ...]], list[RankLine]]()
        for line in lines:
            key = line.numbers.names, line.numbers.ranks
            # The last kind is that of the last line, whose levels are the newest.
            kinds[key] = kinds.pop(key, [])
            kinds[key].append(line)
        return None if not kinds else cls._of_kinds(list(kinds.values()))

    @classmethod
    def _of_kinds(cls, kinds: Sequence[Sequence[RankLine]]) -> RankSums:
        numbers: RankNumbers | None = None
        steps = dict[int, int]()
        for lines in kinds:
            numbers = RankNumbers.summed(numbers, _sum(lines))
            count = sum(line.end_step - line.first_step for line in lines)
            for rank in lines[0].numbers.ranks:
                steps[rank] = steps.get(rank, 0) + count
        assert numbers is not None
        return cls(numbers, np.array([steps[rank] for rank in numbers.ranks], np.int64))


def _sum(lines: Sequence[RankLine]) -> RankNumbers:
    """Returns the sums of lines of the same ranks and names."""
    last = lines[-1].numbers
    if len(lines) == 1:
        return last
    values = np.stack([line.numbers.values for line in lines]).astype(np.float64)
    summed = np.where(np.isnan(values).all(axis=0), np.nan, np.nansum(values, axis=0))
    is_level = np.array([name in LEVELS for name in last.names])
    return RankNumbers(
        last.names, last.ranks, np.where(is_level, last.values, summed).astype(np.float32)
    )
