"""Who hangs: of ranks that wait for each other, those that keep the others waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from raymon.diagnosis.hangs.progress import is_overdue, is_silent, may_wait, place, waits
from raymon.results import START, RankState


@dataclass(frozen=True)
class Hang:
    """A hang.

    Attributes:
        culprits: Ranks that keep the others waiting, those that are silent first. All of them if
            they are in a collective that does not end.
        silent: Those of them that are silent.
        waiting: Ranks that wait for them.
    """

    culprits: Sequence[RankState]
    silent: Sequence[RankState]
    waiting: Sequence[RankState]


def find_hang(ranks: Sequence[RankState], hang_after_s: float) -> Hang | None:
    """Returns the hang of a run; None if there is none.

    In a step every rank waits for the last one, so that all are late if one hangs. A rank that is
    silent hangs, wherever the others are. Of those that are heard, the ones that are behind all
    others hang, once all of them are late: a rank that is in time by its own promise excuses those
    that wait for it. Of ranks that are equally far, those that are known to wait do not hang; if
    all of them wait, or may, it is a collective that does not end.

    Args:
        ranks: What is known of each rank.
        hang_after_s: Seconds that a rank may be silent in a phase of a step.
    """
    alive = [rank for rank in ranks if not rank.ended]
    known = [rank for rank in alive if rank.pid]
    if not known:
        return None
    starts = all(rank.phase == START for rank in known)
    silent, heard = list[RankState](), list[RankState]()
    for rank in alive:
        (silent if is_silent(rank, hang_after_s, starts) else heard).append(rank)
    culprits = [*silent, *_overdue(heard, silent)]
    if not culprits:
        return None
    named = {rank.rank for rank in culprits}
    late_s = hang_after_s / 2
    waiting = [rank for rank in known if rank.rank not in named and rank.phase_s >= late_s]
    return Hang(culprits, silent, waiting)


def _overdue(heard: Sequence[RankState], silent: Sequence[RankState]) -> list[RankState]:
    """Returns those that are heard and hang."""
    if not heard:
        return []
    last = min(map(place, heard))
    if any(place(rank) <= last for rank in silent):
        return []  # all of them wait for one that is silent
    behind = [rank for rank in heard if place(rank) == last]
    if not all(is_overdue(rank) or waits(rank) for rank in behind):
        return []
    if not any(is_overdue(rank) for rank in behind):
        return []
    return [rank for rank in behind if not waits(rank)] or behind


def is_collective(hang: Hang, world_size: int) -> bool:
    """Returns whether all ranks are in a collective that does not end.

    Args:
        hang: The hang.
        world_size: Number of ranks that have not ended.
    """
    everyone = 1 < world_size == len(hang.culprits) and not hang.silent
    return everyone and all(map(may_wait, hang.culprits))
