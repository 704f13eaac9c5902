"""Where the time of a rank goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from raymon.diagnosis.step_window import StepWindow
from raymon.results import INPUT_PARTS, PEERS, PHASES, START

_SHOWN_SHARE = 0.005


@dataclass(frozen=True)
class TimeBudget:
    """Where the time of a rank goes, one of those that are no slower than others.

    Attributes:
        first_step: First of the steps that it is about.
        end_step: Step that follows the last one.
        samples: Rows that all ranks trained on in these steps.
        seconds: Seconds of each phase.
        start_s: Seconds before the first step.
        reading: Seconds of reading by part, over all threads of all ranks; empty if not measured.
        exchange_s: Seconds that even the rank waits which the others wait for.
        windows: Number of windows that it is made of.
        is_exact: Whether the numbers of single ranks are known.
    """

    first_step: int
    end_step: int
    samples: int
    seconds: Mapping[str, float]
    start_s: float
    reading: Mapping[str, float]
    exchange_s: float
    windows: int
    is_exact: bool

    @classmethod
    def of(cls, windows: Sequence[StepWindow], slow: Collection[int] = ()) -> TimeBudget:
        """Returns the budget of some windows.

        Args:
            windows: At least one window, in order.
            slow: Ranks that are slower than the others, which are left out.
        """
        seconds, reading = defaultdict[str, float](float), defaultdict[str, float](float)
        exchange = 0.0
        for window in _summed(windows):
            _add(window, slow, seconds)
            exchange += _exchange(window, slow)
            for part in INPUT_PARTS:
                reading[part] += float(window.seconds_of(part).sum())
        start_s = seconds.pop(START, 0.0)
        return cls(
            windows[0].first_step,
            windows[-1].end_step,
            sum(window.samples for window in windows),
            seconds,
            start_s,
            reading,
            exchange,
            len(windows),
            all(window.numbers is not None for window in windows),
        )

    @property
    def total_s(self) -> float:
        """Seconds in all, with evaluations and saves, from the first step on."""
        return float(sum(self.seconds.values()))

    @property
    def rate(self) -> float:
        """Samples of all ranks per second, with evaluations and saves."""
        return self.samples / self.total_s if self.total_s > 0 else 0.0

    def share(self, *phases: str) -> float:
        """Returns the share of phases in the time."""
        in_all = self.total_s
        return sum(self.seconds.get(phase, 0.0) for phase in phases) / in_all if in_all > 0 else 0.0

    def cost_of(self, share: float) -> float:
        """Returns the samples per second that a share of the time costs."""
        share = min(share, 0.95)
        return self.rate / (1 - share) - self.rate

    def __str__(self) -> str:
        """Returns a line such as `data 63 %, forward 20 %, backward 15 %`."""
        parts = [(self.share(phase), phase) for phase in self.seconds]
        shown = [
            f"{phase.replace('_', ' ')} {share * 100:.0f} %"
            for share, phase in sorted(parts, reverse=True)
            if share >= _SHOWN_SHARE
        ]
        return ", ".join(shown)


def _summed(windows: Sequence[StepWindow]) -> list[StepWindow]:
    """Returns the windows, those with the same numbers of the same ranks as one."""
    alike = defaultdict[tuple[object, ...], list[StepWindow]](list)
    for window in windows:
        numbers = window.numbers
        key = (window.first_step,) if numbers is None else (numbers.names, numbers.ranks)
        alike[key].append(window)
    return [_sum_of(each) for each in alike.values()]


def _sum_of(windows: Sequence[StepWindow]) -> StepWindow:
    first, numbers = windows[0], windows[0].numbers
    if numbers is None or len(windows) == 1:
        return first
    values = [window.numbers.values for window in windows if window.numbers is not None]
    total = np.asarray(np.nansum(np.stack(values), axis=0, dtype=np.float64), np.float32)
    return replace(first, numbers=replace(numbers, values=total))


def _add(window: StepWindow, slow: Collection[int], seconds: defaultdict[str, float]) -> None:
    """Adds the seconds of each phase of a window: means over the ranks that are not slow."""
    if window.numbers is None:
        for phase in PHASES:
            seconds[phase] += window.phases.get(phase, 0.0)
        return
    rows = _usual(window, slow)
    for phase in PHASES:
        if phase in window.numbers.names:
            seconds[phase] += float(window.seconds_of(phase)[rows].mean())


def _exchange(window: StepWindow, slow: Collection[int]) -> float:
    """Returns how long ranks wait in peers for the exchange itself, and for no slow rank."""
    if window.numbers is None:
        return window.phases.get(PEERS, 0.0)
    peers = window.seconds_of(PEERS)
    held_up = [i for i, rank in enumerate(window.numbers.ranks) if rank in slow]
    return float(peers[held_up].min() if held_up else peers.mean())


def _usual(window: StepWindow, slow: Collection[int]) -> list[int]:
    assert window.numbers is not None
    ranks = window.numbers.ranks
    return [i for i, rank in enumerate(ranks) if rank not in slow] or list(range(len(ranks)))
