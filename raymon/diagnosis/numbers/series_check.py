"""The base of checks that look at one series for each number of a name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from raymon.diagnosis.numbers.series import Point, Series
from raymon.results import Finding, RankState, Snapshot


class SeriesCheck(ABC):
    """Looks at the series of each number that a snapshot has.

    Snapshots that lack ranks are not seen: those are never complete.
    """

    kind: ClassVar[str]
    """Kind of its findings."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}
        self._found: dict[str, Finding] = {}

    @abstractmethod
    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns the numbers of a snapshot by name."""

    @abstractmethod
    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Returns what is wrong with a number, in words; None if nothing is.

        Args:
            name: Name of the number.
            series: Its values, with that of the snapshot.
            snapshot: The newest snapshot.
        """

    def is_on(self, name: str) -> bool:
        """Returns whether something was wrong with a number at the snapshot before."""
        return name in self._found

    def begin_attempt(self, step: int) -> None:
        """Forgets the numbers of later steps, which come again."""
        for series in self._series.values():
            series.roll_back(step)
        self._found = {}

    def see(self, snapshot: Snapshot) -> None:
        """Looks at the newest numbers."""
        found = {}
        for name, value in self.values(snapshot).items():
            series = self._series.setdefault(name, Series())
            series.add(Point(snapshot.first_step, snapshot.end_step, value))
            if not series.has(snapshot.end_step):
                continue
            text = self.judge(name, series, snapshot)
            if text is not None:
                found[name] = self._finding(name, snapshot, text)
        self._found = found

    def findings(self, ranks: Sequence[RankState], now: float) -> list[Finding]:
        """Returns what is wrong with the newest numbers."""
        return list(self._found.values())

    def _finding(self, name: str, snapshot: Snapshot, text: str) -> Finding:
        before = self._found.get(name)
        return Finding(
            self.kind,
            text,
            first_step=snapshot.first_step if before is None else before.first_step,
            last_step=snapshot.end_step - 1,
            subject=name,
            of_steps=True,
        )
