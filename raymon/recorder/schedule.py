"""The steps at which windows are cut."""

from __future__ import annotations

from collections.abc import Iterable


class CutSchedule:
    """The steps at which a window ends: the multiples of several periods.

    Every fold and every log line is then a sum of whole windows. Checkpoints cut windows too.

    Args:
        periods: Periods in steps: that of the log, and each `decay_step`.
    """

    def __init__(self, periods: Iterable[int]) -> None:
        self._periods = sorted(set(periods))
        if not self._periods or self._periods[0] < 1:
            raise ValueError(f"periods are {self._periods}; each has to be at least 1")

    def next_cut(self, step: int) -> int:
        """Returns the first step after `step` at which a window ends."""
        return min((step // period + 1) * period for period in self._periods)
