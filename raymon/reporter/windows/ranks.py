"""What the reporter knows of each rank."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from raymon.protos.report_pb2 import Heartbeat, WindowReport
from raymon.results import RankState


@dataclass
class _Rank:
    heard_at: float
    step: int = 0
    windows: int = 0
    lost: int = 0
    ended: bool = False
    is_given_up: bool = False
    beat: Heartbeat | None = None
    beat_at: float = 0.0


class Ranks:
    """The ranks of an attempt, and when each was heard.

    Args:
        world_size: Number of ranks.
        step: Step that they go on from.
        now: Time at which the attempt begins, in seconds.
        stepped_at: Time of the last step before that, in seconds; None if there was none.

    Attributes:
        stepped_at: Time at which any of them was last known to make a step, in seconds.
    """

    def __init__(
        self, world_size: int, step: int, now: float, stepped_at: float | None = None
    ) -> None:
        self._ranks = [_Rank(now, step) for _ in range(world_size)]
        self._step = step
        self.stepped_at = now if stepped_at is None else stepped_at

    def hear(self, report: WindowReport, now: float) -> None:
        """Records a new report of the attempt, which came at the time `now`, in seconds."""
        for number in report.ranks:
            rank = self._ranks[number]
            rank.heard_at = now
            rank.is_given_up = False
            rank.step = max(rank.step, report.end_step)
            rank.windows += 1
            rank.lost = max(rank.lost, report.dropped)
            self._reach(rank.step, now)
        for number in report.ended:
            self._ranks[number].ended = True

    def beat(self, beat: Heartbeat, now: float) -> None:
        """Records where a rank is at the time `now`, in seconds."""
        rank = self._ranks[beat.rank]
        rank.beat, rank.beat_at, rank.is_given_up = beat, now, False
        rank.ended = rank.ended or beat.last
        self._reach(beat.step, now)

    def give_up(self, ranks: Iterable[int]) -> None:
        """Takes ranks for ended until they are heard again."""
        for number in ranks:
            self._ranks[number].is_given_up = True

    def stalled_s(self, now: float) -> float | None:
        """Returns the seconds since any rank was known to make a step.

        None if that cannot be said, as some rank sends no heartbeats, or if none makes steps.
        """
        going = [rank for rank in self._ranks if not (rank.ended or rank.is_given_up)]
        if not going or any(rank.beat is None for rank in going):
            return None
        return now - self.stepped_at

    def _reach(self, step: int, now: float) -> None:
        if step > self._step:
            self._step, self.stepped_at = step, now

    def oldest_s(self, now: float) -> float:
        """Returns the seconds since the last report of the rank that has been silent longest."""
        return now - min((rank.heard_at for rank in self._ranks), default=now)

    def states(self, now: float) -> list[RankState]:
        """Returns the state of each rank, in order."""
        return [_state(number, rank, now) for number, rank in enumerate(self._ranks)]


def _state(number: int, rank: _Rank, now: float) -> RankState:
    heard_s, beat = now - rank.heard_at, rank.beat
    counts = (rank.windows, rank.lost, rank.ended or rank.is_given_up)
    if beat is None:
        return RankState(number, heard_s, rank.step, *counts, beat_s=heard_s)
    silent_s = now - rank.beat_at
    phase_s = beat.phase_s + silent_s
    if rank.step > beat.step:
        # It has gone on since, whatever became of its heartbeats.
        phase_s = min(phase_s, heard_s)
    return RankState(
        number,
        heard_s,
        max(rank.step, beat.step),
        *counts,
        host=beat.host,
        pid=beat.pid,
        node_id=beat.node_id,
        phase=beat.phase,
        phase_s=phase_s,
        deadline_s=beat.deadline_s,
        beat_s=min(silent_s, heard_s),
        waits=beat.waits,
    )
