"""The check for losses that jump up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from raymon.diagnosis.numbers.series import Level, Series
from raymon.diagnosis.numbers.series_check import SeriesCheck
from raymon.number_text import number_text
from raymon.results import Snapshot

_KNOWN = 20
"""Values that have to be known before one can be a spike."""


@dataclass(frozen=True)
class _Height:
    """How far above the median a loss has to be.

    Attributes:
        scales: Times the scale of the values that it is compared with.
        of_largest: Times the largest of them, for noise whose tails are heavy.
        of_loss: Times the median itself, as a spike that matters.
    """

    scales: float
    of_largest: float
    of_loss: float

    def above(self, known: Sequence[float]) -> float:
        """Returns the loss above which one is a spike."""
        level = Level.of(known)
        largest = max(known) - level.middle
        return level.middle + max(
            self.scales * level.scale,
            self.of_largest * largest,
            self.of_loss * abs(level.middle),
        )


_ALONE = _Height(15, 5, 0.5)
"""Of one value alone."""

_AGAIN = _Height(8, 2, 0.2)
"""Of two in a row, and of those that follow: noise is not there twice."""

_LASTS = 20
"""Values after which a loss that stays up is no spike any more, but where it is now."""


class LossSpike(SeriesCheck):
    """Finds losses that jump far above where they were, for as long as they stay there."""

    kind = "loss_spike"

    def __init__(self) -> None:
        super().__init__()
        self._spiked: dict[str, list[int]] = {}
        # Where a value ended that is a spike only if the next one is high too.
        self._high: dict[str, int] = {}

    def begin_attempt(self, step: int) -> None:
        """Forgets later steps, also those of spikes."""
        super().begin_attempt(step)
        self._spiked = {n: [s for s in steps if s <= step] for n, steps in self._spiked.items()}

    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns the losses."""
        return snapshot.losses

    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Compares the newest loss with those before it that were no spikes."""
        *before, newest = series.points
        spiked = self._spiked.setdefault(name, [])
        known = [p.value for p in before if p.end_step not in spiked]
        high = self._high.pop(name, None)
        if len(known) < _KNOWN:
            return None
        if newest.value <= _AGAIN.above(known):
            return None
        if len(spiked) >= _LASTS and spiked[-_LASTS] in [p.end_step for p in before][-_LASTS:]:
            spiked.clear()
            return None
        spiked.append(newest.end_step)
        del spiked[:-100]
        goes_on = self.is_on(name) or high == newest.first_step
        if not goes_on and newest.value <= _ALONE.above(known):
            self._high[name] = newest.end_step
            return None
        middle = Level.of(known).middle
        return (
            f"{name} is {number_text(newest.value)} in steps {newest.first_step} to "
            f"{newest.end_step}, after {number_text(middle)}"
        )
