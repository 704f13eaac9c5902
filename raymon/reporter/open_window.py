"""One window while its ranks report it."""

from __future__ import annotations

from raymon.monitor.layout import Layout
from raymon.protos.report_pb2 import WindowReport
from raymon.reporter.window_sum import WindowSum


class OpenWindow:
    """The reports of one window, each rank in one of them.

    A node may report its ranks together, and again when it has more of them: the report that
    covers more takes the place of those that it covers.

    Args:
        report: The first one; the others must cover the same steps.
        opened_at: When it came, in seconds.

    Attributes:
        ranks: Who has reported.
        lost: Who never will.
    """

    def __init__(self, report: WindowReport, opened_at: float) -> None:
        self.first_step = report.first_step
        self.end_step = report.end_step
        self.opened_at = opened_at
        self.ranks: set[int] = set()
        self.lost: set[int] = set()
        self._single: list[WindowReport] = []
        self._joint: list[WindowReport] = []
        self.add(report)

    def add(self, report: WindowReport) -> bool:
        """Takes a report; false where its ranks, or some of them, are in already.

        Raises:
            ValueError: It covers other steps than this window.
        """
        if (report.first_step, report.end_step) != (self.first_step, self.end_step):
            raise ValueError(
                f"rank {report.ranks[0]} reports steps [{report.first_step}, {report.end_step}) as "
                f"window {report.index}, which is [{self.first_step}, {self.end_step}) on others"
            )
        self.lost.update(report.lost)
        if len(report.ranks) == 1:
            if report.ranks[0] in self.ranks:
                return False
            self._single.append(report)
            self.ranks.add(report.ranks[0])
            return True
        return self._add_joint(report)

    def _add_joint(self, report: WindowReport) -> bool:
        new = set(report.ranks)
        if new <= self.ranks:
            return False
        covered = [p for p in (*self._single, *self._joint) if not new.isdisjoint(p.ranks)]
        if any(not new.issuperset(part.ranks) for part in covered):
            # Neither covers the other. The ranks that are missing come again, with more.
            return False
        self._single = [part for part in self._single if part.ranks[0] not in new]
        self._joint = [part for part in self._joint if new.isdisjoint(part.ranks)]
        self._joint.append(report)
        self.ranks |= new
        return True

    def sum(self, layout: Layout) -> WindowSum:
        """The window, summed over the ranks that have reported it."""
        window = WindowSum.of_parts((*self._single, *self._joint), layout)
        window.lost = self.lost - self.ranks
        return window
