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

    def add(self, report: WindowReport) -> bool:
        """Takes a report; false where it came before.

        Raises:
            ValueError: Its rank is not of this world, or it covers other steps than the same
                window of other ranks.
        """
        if report.rank >= self.world_size:
            raise ValueError(f"rank {report.rank} is not in a world of {self.world_size}")
        if report.index < self._next:
            return False
        window = self._open.get(report.index)
        if window is None:
            window = WindowSum(first_step=report.first_step, end_step=report.end_step)
        added = window.add(report)
        self._open[report.index] = window
        return added

    def take_complete(self) -> Iterator[WindowSum]:
        """The windows that every rank has reported, in order, up to the first that is not."""
        while self._next in self._open:
            if len(self._open[self._next].ranks) < self.world_size:
                return
            yield self._open.pop(self._next)
            self._next += 1

    def incomplete(self) -> list[WindowSum]:
        """The windows that some rank has still to report, in order."""
        return [self._open[index] for index in sorted(self._open)]
