"""A line of `monitor/ranks.jsonl`: the numbers of single ranks over some steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raymon.results import RankNumbers

_MOST = 2**53
"""What no step and no rank reaches, and tables of numbers hold."""


@dataclass(frozen=True)
class RankLine:
    """The numbers of each rank over the steps [first_step, end_step).

    Attributes:
        first_step: First of the steps.
        end_step: Step that follows the last one.
        time: Seconds since 1970, UTC, at their end; NaN if that is not known.
        seconds: Seconds of the slowest rank.
        world_size: Number of ranks of the attempt.
        numbers: Numbers of the ranks.

    Raises:
        ValueError: A step or a rank is one that no run has.
    """

    first_step: int
    end_step: int
    time: float
    seconds: float
    world_size: int
    numbers: RankNumbers

    def __post_init__(self) -> None:
        whole = (self.first_step, self.end_step, *self.numbers.ranks)
        if not all(-_MOST < number < _MOST for number in whole):
            raise ValueError("a step or a rank that nothing has")

    @classmethod
    def of_line(cls, line: Mapping[str, Any]) -> RankLine:
        """Returns the numbers of a line, as it was parsed.

        Raises:
            KeyError, TypeError, ValueError, OverflowError: It is no such line.
        """
        return cls(
            int(line["first_step"]),
            int(line["global_step"]),
            float(line.get("time") or "nan"),
            float(line["seconds"]),
            int(line["world_size"]),
            RankNumbers.of_json(line["ranks"], line["rank_numbers"]),
        )
