"""Which ranks of a process group have connected, left, or are gone."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from raymon.results import RANK_GONE, Finding, RankState, Snapshot

RETURN_S = 15.0
"""Seconds in which a rank whose connection was cut may connect again, until it is given up."""

JOIN_S, JOIN_AT_END_S = 10.0, 3.0
"""Seconds that the others wait with a whole window for a rank that has never connected: while they
go on, and once the first rank has made its last step."""


class _Place(enum.Enum):
    UNSEEN, HERE, CUT, LEFT = range(4)


@dataclass
class _Rank:
    place: _Place = _Place.UNSEEN
    name: str = ""
    since: float = 0.0


class GoneRanks:
    """A check that finds what the roster knows: ranks whose processes are gone.

    Implements `Check`. Its findings are set on the thread of the server.
    """

    def __init__(self) -> None:
        self._gone: dict[int, Finding] = {}

    def begin_attempt(self, step: int) -> None:
        """Forgets the ranks of the attempt before."""
        self._gone = {}

    def see(self, snapshot: Snapshot) -> None:
        """Does nothing: numbers do not say it."""

    def findings(self, ranks: Sequence[RankState], now: float) -> list[Finding]:
        """Returns a finding for each rank that is gone."""
        return list(self._gone.values())

    def lose(self, rank: int, host: str, text: str) -> None:
        """Takes note that a rank is gone."""
        self._gone = {**self._gone, rank: Finding(RANK_GONE, text, rank=rank, host=host)}

    def find(self, rank: int) -> None:
        """Takes note that a rank is back."""
        self._gone = {number: found for number, found in self._gone.items() if number != rank}


class Roster:
    """The ranks other than the first, by what is known of their connections.

    Args:
        world_size: Number of ranks, of which rank 0 is the one that asks.
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, world_size: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ranks = {rank: _Rank() for rank in range(1, world_size)}

    def join(self, rank: int, name: str) -> bool:
        """Takes note that a rank has connected.

        Returns:
            Whether it had been cut off before.
        """
        was_cut = self._ranks[rank].place is _Place.CUT
        self._ranks[rank] = _Rank(_Place.HERE, name, self._clock())
        return was_cut

    def leave(self, rank: int) -> None:
        """Takes note that a rank has said that it is done."""
        self._put(rank, _Place.LEFT)

    def cut(self, rank: int) -> bool:
        """Takes note that the connection of a rank has ended.

        Returns:
            Whether that comes as a surprise.
        """
        if self._ranks[rank].place is not _Place.HERE:
            return False
        self._put(rank, _Place.CUT)
        return True

    def name(self, rank: int) -> str:
        """Returns the name of a rank for people."""
        return self._ranks[rank].name or f"rank {rank}"

    @property
    def here(self) -> int:
        """The number of ranks that are connected."""
        return sum(rank.place is _Place.HERE for rank in self._ranks.values())

    def absent(self, waited_s: float, at_end: bool) -> list[int]:
        """Returns the ranks without which the others go on.

        Args:
            waited_s: Seconds that the oldest window has waited for others; 0 if there is none.
            at_end: Whether the first rank makes no more steps.
        """
        now = self._clock()
        join_s = JOIN_AT_END_S if at_end else JOIN_S
        return_s = JOIN_AT_END_S if at_end else RETURN_S
        return [
            number
            for number, rank in self._ranks.items()
            if (rank.place is _Place.UNSEEN and waited_s > join_s)
            or (rank.place is _Place.CUT and now - rank.since > return_s)
            # What it had not sent when it left does not come any more.
            or rank.place is _Place.LEFT
        ]

    def unseen(self) -> list[int]:
        """Returns the ranks that have never connected."""
        return [number for number, rank in self._ranks.items() if rank.place is _Place.UNSEEN]

    def _put(self, rank: int, place: _Place) -> None:
        self._ranks[rank] = _Rank(place, self._ranks[rank].name, self._clock())
