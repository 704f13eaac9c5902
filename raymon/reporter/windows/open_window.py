"""One window while its ranks report it."""

from __future__ import annotations

import copy

from raymon.protos.report_pb2 import WindowReport
from raymon.reporter.windows.window_sum import WindowSum
from raymon.wire import Entries, Layout, decode_counts


class OpenWindow:
    """The reports of one window, with each rank in one of them.

    A node may report several ranks in one report, and report again when it has more of them: a
    report replaces those whose ranks it includes.

    Args:
        report: The first report. The others must cover the same steps, except that ranks that make
            no more steps may end before the rest.
        counts: Its counts, decoded.
        layout: Places of the states in the counts.
        opened_at: Time at which it came, in seconds.

    Attributes:
        ranks: Ranks that have reported.
        lost: Ranks whose window is lost.
    """

    def __init__(
        self, report: WindowReport, counts: Entries, layout: Layout, opened_at: float
    ) -> None:
        self.opened_at = opened_at
        self.ranks = set(report.ranks)
        self.lost = set(report.lost)
        self._layout = layout
        self._reports = [report]
        self._sum = WindowSum.of(report, layout, counts)

    @property
    def end_step(self) -> int:
        """The step at which the window ends."""
        return self._sum.end_step

    def add(self, report: WindowReport, counts: Entries) -> bool:
        """Takes a report.

        Args:
            report: The report.
            counts: Its counts, decoded.

        Returns:
            False if its ranks, or some of them, have reported already.

        Raises:
            ValueError: It covers other steps than this window, or other tables.
        """
        if report.first_step != self._sum.first_step or not self._may_end_with(report):
            raise ValueError(
                f"rank {report.ranks[0]} reports steps [{report.first_step}, {report.end_step}) as "
                f"window {report.index}, which is [{self._sum.first_step}, {self._sum.end_step}) "
                "on others"
            )
        if not self._has_tables_of(report):
            raise ValueError(f"rank {report.ranks[0]} reports other tables than other ranks")
        self.lost.update(report.lost)
        ranks = set(report.ranks)
        if self.ranks.isdisjoint(ranks):
            self._reports.append(report)
            self._sum.add(report, counts)
        elif not self._replace(report, ranks):
            return False
        self.ranks |= ranks
        return True

    def sum(self) -> WindowSum:
        """Returns the sum over the ranks that have reported so far."""
        total = copy.copy(self._sum)
        total.lost = self.lost - self.ranks
        return total

    def _may_end_with(self, report: WindowReport) -> bool:
        if report.end_step < self._sum.end_step:
            return set(report.ranks) <= set(report.ended)
        return report.end_step == self._sum.end_step or self._sum.ranks <= self._sum.ended

    def _has_tables_of(self, report: WindowReport) -> bool:
        tables = self._sum.tables
        if tables is None or not report.HasField("tables"):
            return True
        return bool(report.tables.layout == tables.layout.data)

    def _replace(self, report: WindowReport, ranks: set[int]) -> bool:
        """Replaces the reports whose ranks this one includes, if it has more ranks than these."""
        covered = [part for part in self._reports if not ranks.isdisjoint(part.ranks)]
        # A report that overlaps others without including them comes again later, with more ranks.
        if ranks <= self.ranks or any(not ranks.issuperset(part.ranks) for part in covered):
            return False
        kept = [part for part in self._reports if ranks.isdisjoint(part.ranks)]
        self._reports = [report, *kept]
        self._sum = WindowSum.of(report, self._layout)
        for part in kept:
            self._sum.add(part, decode_counts(part.counts, self._layout.size))
        return True
