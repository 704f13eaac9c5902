"""Watches the health of a run: checks its numbers and its ranks about once a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from raymon.diagnosis import AlertBook, Check, SlowCheck
from raymon.results import Alert, AlertFigures, Finding, RankState, Snapshot

_EVERY_S = 1.0


class Watch:
    """Runs checks, and makes alerts of what begins and ends to be wrong.

    A check that raises is left out from then on.

    Args:
        checks: The checks.
        on_error: Called with what a check raised.
        clock: Monotonic clock, in seconds.
        wall_clock: Clock of seconds since 1970, UTC.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        on_error: Callable[[Exception], None],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._checks = list(checks)
        self._on_error = on_error
        self._clock = clock
        self._wall_clock = wall_clock
        slow = [check for check in checks if isinstance(check, SlowCheck)]
        self._book = AlertBook({kind: check.settle_s for check in slow for kind in check.kinds})
        self._looked_at: float | None = None

    @property
    def on(self) -> list[Finding]:
        """The findings that are on."""
        return self._book.on

    @property
    def figures(self) -> AlertFigures:
        """What is wrong, and how many alerts there were."""
        return self._book.figures

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Takes over the alerts of the run before this process began."""
        self._book.restore(alerts, self._wall_clock())

    def begin_attempt(self, step: int) -> None:
        """Takes note that workers begin, and that numbers after `step` come again."""
        self._book.begin_attempt(self._wall_clock())
        self._each(lambda check: check.begin_attempt(step))

    def see(self, snapshot: Snapshot) -> None:
        """Shows a complete snapshot to the checks."""
        self._each(lambda check: check.see(snapshot))
        self._looked_at = None

    def hurry(self) -> None:
        """Makes the next look a real one, however short ago the last one was."""
        self._looked_at = None

    def look(self, ranks: Callable[[], list[RankState]], attempt: int, step: int) -> list[Alert]:
        """Returns what has begun or ended to be wrong; looks once a second, and after snapshots.

        Args:
            ranks: Function that returns what is known of each rank.
            attempt: Number of the attempt that is going on.
            step: Step of the newest numbers.
        """
        now = self._clock()
        if not (self._checks or self._book.on) or (
            self._looked_at is not None and now - self._looked_at < _EVERY_S
        ):
            return []
        self._looked_at = now
        states, found = ranks(), list[Finding]()
        self._each(lambda check: found.extend(check.findings(states, now)))
        return self._book.update(found, attempt, step, self._wall_clock())

    def _each(self, action: Callable[[Check], object]) -> None:
        for check in list(self._checks):
            try:
                action(check)
            except Exception as error:
                self._checks.remove(check)
                self._on_error(error)
