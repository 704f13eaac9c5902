"""Remembers what is wrong, so that an alert comes once and is taken back once."""

from __future__ import annotations

from collections.abc import Iterable

from raymon.results import Alert, Finding, Key


class AlertBook:
    """The findings that are on."""

    def __init__(self) -> None:
        self._on: dict[Key, Finding] = {}

    @property
    def on(self) -> list[Finding]:
        """The findings that are on, as they were last seen."""
        return list(self._on.values())

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
        begun = [finding for key, finding in now.items() if key not in self._on]
        over = [finding for key, finding in self._on.items() if key not in now]
        self._on = now
        return [
            *(Alert(finding, attempt, step, time) for finding in begun),
            *(Alert(finding, attempt, step, time, is_over=True) for finding in over),
        ]
