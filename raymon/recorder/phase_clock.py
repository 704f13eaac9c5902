"""A clock for the phases of a step."""

from __future__ import annotations

import time


class PhaseClock:
    """Sums up the seconds between laps by phase, on the thread that calls it."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        """Adds the time since the last lap to `phase`."""
        now = time.perf_counter()
        self._seconds[phase] = self._seconds.get(phase, 0.0) + now - self._last
        self._last = now

    def skip(self) -> None:
        """Leaves out the time since the last lap, as it was no part of a step."""
        self._last = time.perf_counter()

    def take(self) -> dict[str, float]:
        """Returns the seconds by phase since the last call."""
        seconds, self._seconds = self._seconds, {}
        return seconds
