"""Reports in any order become windows in theirs."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.protos.report_pb2 import WindowReport
from raymon.reporter.window_sum import WindowSum


class Collation:
    """The windows of one attempt. Each report counts once, in whatever order they come.

    Args:
        attempt: The number of the attempt.
        world_size: Ranks whose reports make a window complete.
    """

    def __init__(self, attempt: int, world_size: int) -> None:
        self.attempt = attempt
        self.world_size = world_size
        self._open: dict[int, WindowSum] = {}
        self._next = 0
        # Of ranks that lost windows: the first that they can still send.
        self._first_kept: dict[int, int] = {}

    def add(self, report: WindowReport, now: float = 0.0) -> bool:
        """Takes a report, at a time in seconds; false where it came before.

        Raises:
            ValueError: Its rank is not of this world, or it covers other steps than the same
                window of other ranks.
        """
        if report.rank >= self.world_size:
            raise ValueError(f"rank {report.rank} is not in a world of {self.world_size}")
        if report.dropped:
            kept = max(self._first_kept.get(report.rank, 0), report.first_kept)
            self._first_kept[report.rank] = kept
        if report.index < self._next:
            return False
        window = self._open.get(report.index)
        if window is None:
            window = WindowSum(report.first_step, report.end_step, opened_at=now)
        added = window.add(report)
        self._open[report.index] = window
        return added

    def take_complete(self) -> Iterator[WindowSum]:
        """The windows that every rank has reported or lost, in order, up to the first that may
        still change."""
        while self._open and not self._may_change(self._next):
            window = self._open.pop(self._next, None)
            self._next += 1
            if window is not None:
                yield window

    def incomplete(self) -> list[WindowSum]:
        """The windows that some rank has still to report, in order."""
        return [self._open[index] for index in sorted(self._open)]

    def _may_change(self, index: int) -> bool:
        ranks = self._open[index].ranks if index in self._open else set()
        lost = sum(index < kept for rank, kept in self._first_kept.items() if rank not in ranks)
        return len(ranks) + lost < self.world_size
