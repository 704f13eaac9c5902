"""What the reporter knows of workers that start, before their attempt begins."""

from __future__ import annotations

from raymon.protos.report_pb2 import Heartbeat
from raymon.reporter.windows.ranks import Ranks
from raymon.results import RankState


class StartingRanks:
    """The ranks whose heartbeats have no attempt yet."""

    def __init__(self) -> None:
        self._ranks: Ranks | None = None
        self._world_size = 0
        self._begun_at = -float("inf")

    def begin_attempt(self, now: float) -> None:
        """Forgets them: at the time `now`, in seconds, they are an attempt."""
        self._ranks, self._begun_at = None, now

    def beat(self, beat: Heartbeat, now: float) -> bool:
        """Records where a rank is that starts.

        Returns:
            Whether it is one: False if its process had begun when the attempt that is going on
            did, of which it then is a part.
        """
        if now - beat.phase_s < self._begun_at:
            return False
        if self._ranks is None or beat.world_size != self._world_size:
            self._ranks, self._world_size = Ranks(beat.world_size, 0, now), beat.world_size
        self._ranks.beat(beat, now)
        return True

    @property
    def are_there(self) -> bool:
        """Whether workers start."""
        return self._ranks is not None

    def states(self, now: float) -> list[RankState] | None:
        """Returns the state of each rank, in order; None while no workers start."""
        return None if self._ranks is None else self._ranks.states(now)
