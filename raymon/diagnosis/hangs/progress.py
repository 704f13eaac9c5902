"""How far ranks are, and which of them are late."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.results import (
    BACKWARD,
    CHECKPOINT,
    DATA,
    EVALUATION,
    FORWARD,
    GARBAGE_COLLECTION,
    MONITOR,
    MOVE,
    OPTIMIZER,
    PEERS,
    START,
    STEP,
    RankState,
)

_ORDER = {
    START: 0,
    CHECKPOINT: 1,
    EVALUATION: 1,
    MONITOR: 1,
    DATA: 2,
    MOVE: 3,
    GARBAGE_COLLECTION: 3,
    FORWARD: 4,
    STEP: 4,
    BACKWARD: 5,
    PEERS: 5,
    OPTIMIZER: 6,
}
"""Place of each phase between two steps; those with the same place cannot be put in order.

Monitoring comes at the end of a step, and before the first phase of the next one: a rank that is
in it is behind the others either way.
"""

_SILENT_TIMES, _UNHEARD_TIMES = 3.0, 30.0


def place(rank: RankState) -> tuple[int, int]:
    """Returns how far a rank is: steps made, and the place of its phase. Larger is further."""
    order = _ORDER.get(rank.phase, 0)
    return (rank.step if order else -1), order


def last_phase(ranks: Sequence[RankState]) -> str:
    """Returns the phase of the rank that is furthest behind; empty if it is not known."""
    known = [rank for rank in ranks if not rank.ended and rank.pid]
    return min(known, key=place).phase if known else ""


def waits(rank: RankState) -> bool:
    """Returns whether a rank is known to wait for other ranks."""
    return rank.waits or rank.phase == PEERS


def may_wait(rank: RankState) -> bool:
    """Returns whether a rank may wait for other ranks, as gradients are exchanged in backward."""
    return waits(rank) or rank.phase == BACKWARD


def is_silent(rank: RankState, hang_after_s: float, starts: bool = False) -> bool:
    """Returns whether a rank has not been heard for too long, as if it were stopped or gone.

    Where its phase may last, its process may be busy for longer without a sign of life.

    Args:
        rank: The rank.
        hang_after_s: Seconds that a rank may be silent in a phase of a step.
        starts: Whether workers still start, one of which may take its time to come.
    """
    if not rank.pid:
        return rank.heard_s > hang_after_s * (_UNHEARD_TIMES if starts else _SILENT_TIMES)
    most_s = min(rank.deadline_s, _SILENT_TIMES * hang_after_s)
    return rank.beat_s > max(hang_after_s, most_s)


def is_overdue(rank: RankState) -> bool:
    """Returns whether a rank is longer in its phase than it promised."""
    return 0 < rank.deadline_s < rank.phase_s
