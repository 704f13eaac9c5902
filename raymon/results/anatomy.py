"""Where the time of the ranks went, over some steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from raymon.results.phases import OWN_PHASES, PHASES, START
from raymon.results.rank_numbers import RankNumbers

_SHOWN = tuple(phase for phase in PHASES if phase != START)


@dataclass(frozen=True)
class Anatomy:
    """The seconds of all ranks by phase, in a few numbers, without those before the first step.

    Attributes:
        shares: Share of the time of all ranks by phase, from the largest; they add up to 1.
        median: Seconds by phase, each that of the median rank in this phase.
        slowest_rank: Rank whose own work in the steps took longest; None if nothing is known.
        slowest: Seconds by phase of that rank.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    median: Mapping[str, float] = field(default_factory=dict)
    slowest_rank: int | None = None
    slowest: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, numbers: RankNumbers | None) -> Anatomy:
        """Returns the anatomy of the numbers of ranks; an empty one if there are none."""
        if numbers is None:
            return cls()
        columns = {phase: numbers.column(phase) for phase in _SHOWN if phase in numbers.names}
        if not columns:
            return cls()
        heard = np.flatnonzero(~np.isnan(list(columns.values())).all(axis=0))
        # A rank that tells of others was not in this phase, and one that tells of none is in no
        # number.
        columns = {phase: np.nan_to_num(seconds[heard]) for phase, seconds in columns.items()}
        columns = {phase: seconds for phase, seconds in columns.items() if seconds.sum() > 0}
        if not columns:
            return cls()
        sums = {phase: float(seconds.sum()) for phase, seconds in columns.items()}
        own = [seconds for phase, seconds in columns.items() if phase in OWN_PHASES]
        row = int(np.argmax(np.sum(own, axis=0))) if own else 0
        return cls(
            shares=_shares(dict(sorted(sums.items(), key=lambda item: -item[1]))),
            median={phase: float(np.median(seconds)) for phase, seconds in columns.items()},
            slowest_rank=numbers.ranks[heard[row]],
            slowest={phase: float(seconds[row]) for phase, seconds in columns.items()},
        )

    @property
    def median_shares(self) -> dict[str, float]:
        """Shares of the seconds of `median`, by phase; they add up to 1."""
        return _shares(self.median)

    @property
    def slowest_shares(self) -> dict[str, float]:
        """Shares of the time of the slowest rank, by phase; they add up to 1."""
        return _shares(self.slowest)

    def to_json(self) -> dict[str, Any]:
        """Returns the fields of a line of `monitor/windows.jsonl`."""
        return {
            "phase_shares": dict(self.shares),
            "phases_median": dict(self.median),
            "slowest_rank": self.slowest_rank,
            "phases_slowest": dict(self.slowest),
        }


def _shares(seconds: Mapping[str, float]) -> dict[str, float]:
    total = sum(seconds.values())
    return {phase: spent / total for phase, spent in seconds.items()} if total > 0 else {}
