"""The check for ranks that are slower than the others."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.diagnosis.step_window import StepWindow
from raymon.diagnosis.stragglers.tracker import StragglerRule, StragglerTracker
from raymon.results import Finding, RankState, Snapshot

_MOST = 8
"""Ranks that alerts tell of at once."""


class StragglerCheck:
    """Looks for ranks that are slower than the others, while a run goes on.

    Args:
        rule: From when on a rank counts as slow.
    """

    def __init__(self, rule: StragglerRule | None = None) -> None:
        self._tracker = StragglerTracker(rule or StragglerRule())

    def begin_attempt(self, step: int) -> None:
        """Forgets what was seen, as other workers have begun."""
        self._tracker.reset()

    def see(self, snapshot: Snapshot) -> None:
        """Compares the ranks in the steps that follow."""
        self._tracker.add(StepWindow.of_snapshot(snapshot))

    def findings(self, ranks: Sequence[RankState], now: float) -> list[Finding]:
        """Returns the ranks that are slower."""
        hosts = {state.rank: state.host for state in ranks if state.host}
        return [each.finding(hosts.get(each.rank)) for each in self._tracker.on[:_MOST]]
