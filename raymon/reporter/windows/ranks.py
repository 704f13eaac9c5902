"""What the reporter knows of each rank."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.protos.report_pb2 import WindowReport
from raymon.results import RankState


@dataclass
class _Rank:
    heard_at: float
    step: int = 0
    windows: int = 0
    lost: int = 0
    ended: bool = False


class Ranks:
    """The ranks of an attempt, and when each was heard.

    Args:
        world_size: Number of ranks.
        step: Step that they go on from.
        now: Time at which the attempt begins, in seconds.
    """

    def __init__(self, world_size: int, step: int, now: float) -> None:
        self._ranks = [_Rank(now, step) for _ in range(world_size)]

    def hear(self, report: WindowReport, now: float) -> None:
        """Records a new report of the attempt, which came at the time `now`, in seconds."""
        for number in report.ranks:
            rank = self._ranks[number]
            rank.heard_at = now
            rank.step = max(rank.step, report.end_step)
            rank.windows += 1
            rank.lost = max(rank.lost, report.dropped)
        for number in report.ended:
            self._ranks[number].ended = True

    def oldest_s(self, now: float) -> float:
        """Returns the seconds since the last report of the rank that has been silent longest."""
        return now - min((rank.heard_at for rank in self._ranks), default=now)

    def states(self, now: float) -> list[RankState]:
        """Returns the state of each rank, in order."""
        return [
            RankState(i, now - rank.heard_at, rank.step, rank.windows, rank.lost, rank.ended)
            for i, rank in enumerate(self._ranks)
        ]
