"""Remembers what is wrong, so that an alert comes once and is taken back once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from raymon.diagnosis.told_steps import ToldSteps
from raymon.results import HANG, RANK_GONE, Alert, AlertFigures, Finding, Key

_SETTLE_S = 60.0
"""Seconds after a restart within which a finding that was on may come back as the same."""

_OF_PROCESSES = (HANG, RANK_GONE)
"""Kinds of findings about processes, which do not come back once other processes run."""

_SETTLE_LOOKS = 3
"""Numbers of further steps that a finding of steps has, for the same."""


@dataclass
class _Awaited:
    """What is known to be wrong, but was not seen since a restart."""

    until: float
    past_step: int
    looks: int = 0
    seen_step: int = -1


class AlertBook:
    """The findings that are on.

    After a restart checks know nothing yet: a finding that was on stays so until it is seen again,
    or until checks have had the time to see it. Steps that are made again after a roll-back are not
    told of twice.

    Args:
        settle_s: Seconds after a restart within which a finding that was on may come back as the
            same, by kind; of other kinds it is a minute.
    """

    def __init__(self, settle_s: Mapping[str, float] | None = None) -> None:
        self._settle_s = dict(settle_s or {})
        self._on: dict[Key, Finding] = {}
        self._awaited: dict[Key, _Awaited] = {}
        # Findings that are on, and were told of when their steps were made before.
        self._silent: set[Key] = set()
        self._told = ToldSteps()
        self._counts = Counter[str]()
        self._step = 0

    @property
    def on(self) -> list[Finding]:
        """The findings that are on, as they were last seen."""
        return list(self._on.values())

    @property
    def figures(self) -> AlertFigures:
        """What is on, and how many alerts there were."""
        return AlertFigures(self.on, dict(self._counts))

    def restore(self, alerts: Iterable[Alert], time: float) -> None:
        """Takes over what was told before this process began.

        Args:
            alerts: All alerts of the run, in the order in which they came.
            time: Seconds since 1970, UTC.
        """
        for alert in alerts:
            self._count([alert])
            self._step = max(self._step, alert.step)
            key = alert.finding.key
            if alert.is_over:
                self._on.pop(key, None)
            else:
                self._on[key] = alert.finding
        self._await(self.on, time)

    def begin_attempt(self, time: float) -> None:
        """Takes note that workers begin, and may make steps again.

        Args:
            time: Seconds since 1970, UTC.
        """
        self._await([finding for finding in self.on if finding.of_steps], time)
        for finding in self.on:
            if finding.kind in _OF_PROCESSES:
                self._awaited.pop(finding.key, None)

    def update(
        self, findings: Iterable[Finding], attempt: int, step: int, time: float
    ) -> list[Alert]:
        """Compares all that is wrong at this moment with what was wrong before.

        Args:
            findings: All that is wrong.
            attempt: Number of the attempt that is going on.
            step: Step of the newest numbers.
            time: Seconds since 1970, UTC.

        Returns:
            Alerts for findings that have begun, then for those that are over.
        """
        now = {finding.key: finding for finding in findings}
        for key in now:
            self._awaited.pop(key, None)
        for key, awaited in list(self._awaited.items()):
            if self._is_settled(awaited, self._on[key], step, time):
                del self._awaited[key]
            else:
                now[key] = self._on[key]
        # A silent one that lasts longer than it did before is news.
        begun = [f for key, f in now.items() if key not in self._on or key in self._silent]
        over = [finding for key, finding in self._on.items() if key not in now]
        was_silent = self._silent
        self._silent = {
            finding.key
            for finding in begun
            if finding.of_steps and self._told.has(finding.key, attempt, step)
        }
        self._on, self._step = now, max(self._step, step)
        alerts = [
            *(Alert(f, attempt, step, time) for f in begun if f.key not in self._silent),
            *(Alert(f, attempt, step, time, is_over=True) for f in over if f.key not in was_silent),
        ]
        self._count(alerts)
        return alerts

    def _await(self, findings: Iterable[Finding], time: float) -> None:
        for finding in findings:
            until = time + self._settle_s.get(finding.kind, _SETTLE_S)
            self._awaited[finding.key] = _Awaited(until, self._step)

    def _is_settled(self, awaited: _Awaited, finding: Finding, step: int, time: float) -> bool:
        if finding.of_steps and step != awaited.seen_step:
            awaited.looks += step > awaited.past_step
            awaited.seen_step = step
        return time >= awaited.until and (not finding.of_steps or awaited.looks >= _SETTLE_LOOKS)

    def _count(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            self._told.add([alert])
            self._counts[alert.finding.kind] += not alert.is_over
        self._counts = +self._counts
