"""How far ranks are behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from raymon.results import RankState

SHOWN_RANKS = 32
"""Ranks that are shown one by one at any time."""

SILENT_AFTER_S = 30.0
"""Seconds after which a rank of a large run is shown."""


@dataclass(frozen=True)
class Lag:
    """How far a rank is behind.

    Attributes:
        seconds: Since it was heard.
        steps: That it is behind the rank that is furthest.
    """

    rank: int
    seconds: float
    steps: int


def lags(ranks: Sequence[RankState], elapsed_s: float = 0.0) -> list[Lag]:
    """The lag of each rank that still makes steps.

    Args:
        ranks: As they were.
        elapsed_s: Seconds ago.
    """
    first = max((rank.step for rank in ranks), default=0)
    return [
        Lag(rank.rank, rank.heard_s + elapsed_s, first - rank.step)
        for rank in ranks
        if not rank.ended
    ]


def shown(found: Sequence[Lag]) -> list[Lag]:
    """Those that are shown one by one: all of a small run, of a large one the `SHOWN_RANKS` that
    have been silent longest, of those that are silent at all, so that no rank has a series for
    being last by a moment."""
    if len(found) <= SHOWN_RANKS:
        return list(found)
    silent = [lag for lag in found if lag.seconds >= SILENT_AFTER_S]
    return sorted(silent, key=lambda lag: (-lag.seconds, lag.rank))[:SHOWN_RANKS]
