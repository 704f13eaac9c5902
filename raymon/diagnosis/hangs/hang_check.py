"""The check for ranks that hang."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.diagnosis.hangs.culprits import find_hang
from raymon.diagnosis.hangs.hang_text import hang_text
from raymon.results import HANG, Finding, RankState, Snapshot

_BLIND_S = 3.0
"""Seconds between two looks after which the looker itself stood still, and seconds for which it
then waits for what ranks have sent meanwhile."""


class HangCheck:
    """Finds ranks that hang, and which wait for them.

    Args:
        hang_after_s: Seconds that a rank may be silent in a phase of a step. How long its phases
            may last, each rank says itself.
    """

    def __init__(self, hang_after_s: float) -> None:
        self._hang_after_s = hang_after_s
        self._looked_at: float | None = None
        self._blind_until = -float("inf")

    def begin_attempt(self, step: int) -> None:
        """Does nothing: the ranks of an attempt are new."""

    def see(self, snapshot: Snapshot) -> None:
        """Does nothing: whether a rank hangs, no number of steps says."""

    def findings(self, ranks: Sequence[RankState], now: float) -> list[Finding]:
        """Returns the hang that goes on, if there is one."""
        if self._looked_at is not None and now - self._looked_at > _BLIND_S:
            self._blind_until = now + _BLIND_S
        self._looked_at = now
        hang = find_hang(ranks, self._hang_after_s)
        if hang is None or now < self._blind_until:
            return []
        alive = sum(not rank.ended for rank in ranks)
        first = hang.culprits[0]
        of_one = len(hang.culprits) < alive or alive == 1
        return [
            Finding(
                HANG,
                hang_text(hang, alive),
                rank=first.rank if of_one else None,
                host=(first.host or None) if of_one else None,
                phase=first.phase or None,
                first_step=first.step,
            )
        ]
