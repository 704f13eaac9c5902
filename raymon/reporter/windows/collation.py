"""Collects the reports of one attempt, in any order, into windows in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from raymon.protos.report_pb2 import AttemptRecord, WindowReport
from raymon.reporter.windows.open_window import OpenWindow
from raymon.reporter.windows.window_sum import WindowSum
from raymon.results import RankNumbers
from raymon.wire import Entries, Layout, check_tables, decode_counts, decode_scalars, decode_states

_MAX_AHEAD = 100_000
"""Largest number of windows between the next one to merge and one that a rank reports.

No worker keeps as many, so a report beyond it is wrong.
"""


@dataclass(frozen=True)
class Attempt:
    """The workers that were started together and train from `restored_step` on.

    Attributes:
        number: Number of the attempt in its run, from 1.
        token: Token made by rank 0; a repeated call that begins the same attempt has the same one.
        world_size: Number of ranks.
        restored_step: Step of the checkpoint that the attempt goes on from; 0 for a new run.
        layout: Places of the states of its metrics in a vector of counts.
    """

    number: int
    token: str
    world_size: int
    restored_step: int
    layout: Layout

    def to_message(self, closed: int = 0, ended: Iterable[int] = ()) -> AttemptRecord:
        """Returns the message of the attempt.

        Args:
            closed: Number of its windows that are merged.
            ended: Ranks that made no more steps after those windows.
        """
        return AttemptRecord(
            number=self.number,
            token=self.token,
            world_size=self.world_size,
            restored_step=self.restored_step,
            layout=self.layout.to_message(),
            closed=closed,
            ended=ended,
        )

    @classmethod
    def from_message(cls, message: AttemptRecord) -> Attempt:
        """Returns the attempt of a message."""
        layout = Layout.from_message(message.layout)
        return cls(message.number, message.token, message.world_size, message.restored_step, layout)


class Collation:
    """The windows of one attempt; each report counts once, and reports come in any order.

    Args:
        attempt: The attempt.
        closed: Number of its windows that are merged already.
        ranks: Number of ranks that make a window complete; None for all ranks of the attempt.
        ended: Ranks that made no more steps after the windows that are merged.

    Attributes:
        heard: Ranks that have reported anything in this attempt.
    """

    def __init__(
        self,
        attempt: Attempt,
        closed: int = 0,
        ranks: int | None = None,
        ended: Iterable[int] = (),
    ) -> None:
        self.attempt = attempt
        self.closed = closed
        # For each rank that makes no more steps, the first window that does not need it.
        self._ended = dict.fromkeys(ended, closed)
        self._expected = attempt.world_size if ranks is None else ranks
        self.heard: set[int] = set()
        self._open: dict[int, OpenWindow] = {}
        self._last_step: int | None = None
        # For each rank that dropped windows, the first window that it can still send.
        self._first_kept: dict[int, int] = {}

    def add(self, report: WindowReport, now: float = 0.0) -> bool:
        """Takes a report.

        Args:
            report: The report.
            now: Time at which it came, in seconds.

        Returns:
            False if it is a duplicate.

        Raises:
            ValueError: It cannot be a window of this attempt.
        """
        counts = self._check(report)
        self.heard.update(report.ranks)
        self._take_ends(report)
        if report.dropped:
            for rank in report.ranks:
                kept = max(self._first_kept.get(rank, 0), report.first_kept)
                self._first_kept[rank] = kept
        if report.index < self.closed:
            return False
        if report.index in self._open:
            return self._open[report.index].add(report, counts)
        self._open[report.index] = OpenWindow(report, counts, self.attempt.layout, now)
        return True

    def give_up(self, ranks: Iterable[int]) -> None:
        """Goes on without what ranks have not reported of the windows so far, which is lost.

        They may report later windows.
        """
        kept = max(self._open, default=self.closed - 1) + 1
        for rank in ranks:
            self.heard.add(rank)
            if rank not in self._ended:
                self._first_kept[rank] = max(self._first_kept.get(rank, 0), kept)

    def skip(self, window: WindowReport) -> None:
        """Counts a window that was merged before this reporter started."""
        self.closed = window.index + 1
        self._take_ends(window)

    def ended_before(self, index: int) -> set[int]:
        """Returns the ranks that a window does not need, because they made no more steps."""
        return {rank for rank, first in self._ended.items() if first <= index}

    @property
    def ended(self) -> int:
        """The number of ranks that make no more steps."""
        return len(self._ended)

    def to_message(self) -> AttemptRecord:
        """Returns the message of the attempt, with the number of its merged windows."""
        return self.attempt.to_message(self.closed, sorted(self.ended_before(self.closed)))

    def take_complete(self) -> Iterator[WindowSum]:
        """Yields the windows that are complete, in order, up to the first that may still change.

        A window is complete when every rank has reported it, has dropped it, or has ended before
        it.
        """
        while self._open and not self._may_change(self.closed):
            yield from self._close_next()

    def take_rest(self) -> Iterator[WindowSum]:
        """Yields the windows so far, in order, when no more reports will come."""
        while self._open:
            yield from self._close_next()

    def incomplete(self) -> list[WindowSum]:
        """Returns the windows that some rank has still to report, in order."""
        return [self._open[i].sum() for i in sorted(self._open)]

    @property
    def waits_since(self) -> float | None:
        """When the first report of the next window came, in seconds; None if no window is open."""
        return self._open[min(self._open)].opened_at if self._open else None

    def end_at(self, step: int) -> None:
        """Forgets the windows after `step`, and takes no more of them."""
        self._last_step = step if self._last_step is None else min(step, self._last_step)
        self._open = {i: window for i, window in self._open.items() if window.end_step <= step}

    def _close_next(self) -> Iterator[WindowSum]:
        window = self._open.pop(self.closed, None)
        lost = self._lost(self.closed)
        self.closed += 1
        if window is not None:
            total = window.sum()
            total.lost |= lost - total.ranks
            yield total

    def _may_change(self, index: int) -> bool:
        window = self._open.get(index)
        settled = self._lost(index) | self.ended_before(index)
        if window is not None:
            if len(window.ranks) == self._expected:
                return False
            settled = settled | window.ranks | window.lost
        return len(settled) < self._expected

    def _take_ends(self, report: WindowReport) -> None:
        for rank in report.ended:
            self._ended[rank] = report.index + 1

    def _lost(self, index: int) -> set[int]:
        return {rank for rank, kept in self._first_kept.items() if index < kept}

    def _check(self, report: WindowReport) -> Entries:
        """Returns the counts of a report that can be a window of this attempt."""
        world_size, layout = self.attempt.world_size, self.attempt.layout
        if not report.ranks:
            raise ValueError("a report of no rank")
        if any(rank >= world_size for rank in report.ranks):
            raise ValueError(f"rank {max(report.ranks)} is not in a world of {world_size}")
        if not set(report.ended) <= set(report.ranks):
            raise ValueError(f"rank {report.ranks[0]} reports the end of ranks {report.ended}")
        if report.end_step < report.first_step:
            raise ValueError(f"steps [{report.first_step}, {report.end_step})")
        if report.index > self.closed + _MAX_AHEAD:
            raise ValueError(f"window {report.index}, where {self.closed} is next")
        if self._last_step is not None and report.end_step > self._last_step:
            raise ValueError(
                f"step {report.end_step} of attempt {report.attempt}, of which steps until "
                f"{self._last_step} are left"
            )
        if report.layout != layout.fingerprint:
            raise ValueError("a report of other metrics than those of the attempt")
        for metric, states in decode_states(report.metrics).items():
            for name, state in states.items():
                layout.check_other(metric, name, state.entries.shape)
        decode_scalars(report.scalars)
        if report.HasField("rank_numbers"):
            numbers = RankNumbers.from_message(report.rank_numbers)
            if not set(numbers.ranks) <= set(report.ranks):
                raise ValueError(f"rank {report.ranks[0]} reports numbers of other ranks")
        if report.HasField("tables"):
            check_tables(report.tables)
        return decode_counts(report.counts, layout.size)
