"""The lag of ranks behind the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from raymon.results import RankState

SHOWN_RANKS = 32
"""Largest number of ranks that are shown one by one at any time."""

SILENT_AFTER_S = 30.0
"""Seconds of silence after which a rank of a large run is shown."""


@dataclass(frozen=True)
class Lag:
    """The lag of one rank.

    Attributes:
        rank: Number of the rank.
        seconds: Seconds since the last report of the rank.
        steps: Number of steps that it is behind the furthest rank.
    """

    rank: int
    seconds: float
    steps: int


def lags(ranks: Sequence[RankState], elapsed_s: float = 0.0) -> list[Lag]:
    """Returns the lag of each rank that still makes steps.

    Args:
        ranks: States of the ranks.
        elapsed_s: Seconds since the states were taken.
    """
    first = max((rank.step for rank in ranks), default=0)
    return [
        Lag(rank.rank, rank.heard_s + elapsed_s, first - rank.step)
        for rank in ranks
        if not rank.ended
    ]


def shown(found: Sequence[Lag]) -> list[Lag]:
    """Returns the lags that are shown one by one.

    In a small run these are all. In a large run they are the `SHOWN_RANKS` ranks that have been
    silent longest, each for `SILENT_AFTER_S` at least, so that a rank that is last only for a
    moment gets no series.
    """
    if len(found) <= SHOWN_RANKS:
        return list(found)
    silent = [lag for lag in found if lag.seconds >= SILENT_AFTER_S]
    return sorted(silent, key=lambda lag: (-lag.seconds, lag.rank))[:SHOWN_RANKS]
