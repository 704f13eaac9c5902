"""A clock for the phases of a training thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from raymon.results import START


class Moment(NamedTuple):
    """What the training thread does at a moment.

    Attributes:
        phase: The phase that goes on.
        since: Time at which it began, in seconds of the clock.
        step: Steps that were made before.
    """

    phase: str
    since: float
    step: int


class PhaseClock:
    """Sums up, on the thread that calls it, the seconds of each phase.

    Args:
        clock: Monotonic clock, in seconds; None for `time.perf_counter`.

    Attributes:
        now: The phase that goes on, for other threads to read.
        step: Steps that were made, as `now` has it from the next phase on.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.perf_counter
        self._seconds: dict[str, float] = {}
        self.step = 0
        self.now = Moment(START, self._clock(), 0)

    def enter(self, phase: str) -> None:
        """Ends the phase that goes on, and begins another one."""
        now = self._clock()
        before, since, _ = self.now
        self._seconds[before] = self._seconds.get(before, 0.0) + now - since
        self.now = Moment(phase, now, self.step)

    def look(self) -> tuple[Moment, float]:
        """Returns the phase that goes on, and the time, in seconds of the clock; for any thread."""
        return self.now, self._clock()

    def skip(self) -> None:
        """Leaves out the time since the phase began, as it was no part of it."""
        self.now = Moment(self.now.phase, self._clock(), self.step)

    def take(self) -> dict[str, float]:
        """Returns the seconds by phase since the last call; the phase that goes on, goes on."""
        self.enter(self.now.phase)
        seconds, self._seconds = self._seconds, {}
        return seconds
