"""Where windows are cut."""

from __future__ import annotations

from collections.abc import Iterable


class CutSchedule:
    """The steps at which a window ends: multiples of each of some periods.

    Args:
        periods: Steps; of the progress log, and of each `decay_step`. Every fold and every log
            line is then a sum of whole windows. (Checkpoints cut windows too, when they come.)
    """

    def __init__(self, periods: Iterable[int]) -> None:
        self._periods = sorted(set(periods))
        if not self._periods or self._periods[0] < 1:
            raise ValueError(f"periods are {self._periods}; each has to be at least 1")

    def next_cut(self, step: int) -> int:
        """The first end of a window after `step` steps."""
        return min((step // period + 1) * period for period in self._periods)
