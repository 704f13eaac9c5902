"""The steps in which a rank is slow, added up."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from raymon.diagnosis.stragglers.block import Block
from raymon.diagnosis.stragglers.straggler import Straggler
from raymon.results import STEP_PHASES


class SlowPeriod:
    """The steps in which a rank is slow.

    Args:
        rank: Number of the rank.
        first_step: First of the steps.
    """

    def __init__(self, rank: int, first_step: int) -> None:
        self.rank = rank
        self.first_step = first_step
        self.end_step = first_step
        self._steps = self._samples = 0
        self._seconds = self._lost = 0.0
        self._more = np.zeros(len(STEP_PHASES))

    def add(self, block: Block, slow: Collection[int]) -> None:
        """Adds the steps that follow.

        Args:
            block: The steps.
            slow: All ranks that are slow; the others say how fast the steps could be.
        """
        row, own = block.ranks.index(self.rank), block.own
        others = [i for i, rank in enumerate(block.ranks) if rank not in slow]
        best = float(own[others].max()) if others else float(np.median(own))
        self.end_step = block.end_step
        self._steps += block.end_step - block.first_step
        self._samples += block.samples
        self._seconds += block.seconds
        self._lost += max(0.0, float(own[row]) - best)
        self._more += block.more_than_others[row]

    def straggler(self, *, is_over: bool = False, is_once: bool = False) -> Straggler:
        """Returns what the steps so far say of the rank.

        Args:
            is_over: Whether it is slow no more.
            is_once: Whether the steps are one block alone.
        """
        seconds, lost = self._seconds, min(self._lost, 0.95 * self._seconds)
        rate = self._samples / seconds
        return Straggler(
            self.rank,
            STEP_PHASES[int(self._more.argmax())],
            self.first_step,
            self.end_step,
            float(self._more.sum()) / self._steps,
            seconds / self._steps,
            lost,
            self._samples / (seconds - lost) - rate,
            lost / seconds,
            is_over,
            is_once,
        )
