"""Finds the ranks that are slow, window by window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raymon.diagnosis.step_window import StepWindow
from raymon.diagnosis.stragglers.block import Block
from raymon.diagnosis.stragglers.noise import chance, lasting
from raymon.diagnosis.stragglers.slow_period import SlowPeriod
from raymon.diagnosis.stragglers.straggler import Straggler

_HISTORY = 40
"""Blocks that are remembered."""

_LASTS = (2, 3, 5, 10)
"""Numbers of last blocks that are looked at: the smaller the excess, the more of them it takes."""

_ONCE_SHARE = 0.3
_MOST_ONCE = 20


@dataclass(frozen=True)
class StragglerRule:
    """From when on a rank counts as slow.

    Attributes:
        share: Least share of a step by which it holds up the others.
        chance: Largest chance, at each look, that a rank is that slow by chance.
        block_s: Seconds of steps that are compared at once: shorter windows are added up.
        known: Blocks before, without which three slow ones are needed instead of two.
    """

    share: float = 0.1
    chance: float = 5e-6
    block_s: float = 2.5
    known: int = 3


class StragglerTracker:
    """Finds the ranks that are slow, window by window.

    Args:
        rule: From when on a rank counts as slow.
    """

    def __init__(self, rule: StragglerRule) -> None:
        self._rule = rule
        self._past: list[Straggler] = []
        self._once: list[Straggler] = []
        self.reset()

    def reset(self) -> None:
        """Forgets who is slow, as other workers have begun."""
        self._parts: list[Block] = []
        self._blocks: list[Block] = []
        self._on: dict[int, SlowPeriod] = {}

    @property
    def on(self) -> list[Straggler]:
        """The ranks that are slow, that first which became slow first."""
        return [period.straggler() for period in self._on.values()]

    @property
    def past(self) -> list[Straggler]:
        """Ranks that were slow for a time."""
        return list(self._past)

    @property
    def once(self) -> list[Straggler]:
        """Ranks that were slow in one block alone, those that cost most."""
        return sorted(self._once, key=lambda straggler: -straggler.lost_s)

    def add(self, window: StepWindow) -> None:
        """Adds the window that follows; one whose ranks cannot be compared is left out."""
        part = Block.of(window)
        if part is None:
            return
        if self._parts and self._parts[0].ranks != part.ranks:
            self.reset()
        self._parts.append(part)
        if sum(each.seconds for each in self._parts) >= self._rule.block_s:
            self._add(Block.sum_of(tuple(self._parts)))
            self._parts = []

    def _add(self, block: Block) -> None:
        if self._blocks and self._blocks[0].ranks != block.ranks:
            self._blocks, self._on = [], {}
        self._blocks = [*self._blocks, block][-_HISTORY:]
        excess = np.stack([each.excess for each in self._blocks])
        for rank, period in list(self._on.items()):
            self._go_on(rank, period, excess[:, block.ranks.index(rank)])
        self._begin(excess)
        self._note_once(excess)

    def _go_on(self, rank: int, period: SlowPeriod, excess: NDArray[np.float64]) -> None:
        least = self._rule.share / 2
        if excess[-1] >= least:
            period.add(self._blocks[-1], self._on)
        elif excess[-2:].mean() < least:
            self._past.append(period.straggler(is_over=True))
            del self._on[rank]

    def _begin(self, excess: NDArray[np.float64]) -> None:
        ranks, found = self._blocks[-1].ranks, dict[int, int]()
        for last in _LASTS:
            if len(excess) < last or (last == 2 and len(excess) < last + self._rule.known):
                continue
            level, least = lasting(excess[-last:]), excess[-last:].min(axis=0)
            slow = (level >= self._rule.share) & (least >= self._rule.share / 2)
            for row in np.flatnonzero(slow).tolist():
                is_new = ranks[row] not in self._on and row not in found
                if is_new and chance(excess, row, last) <= self._rule.chance:
                    found[row] = last
        order = sorted(found, key=lambda row: -excess[-found[row] :, row].mean())
        slow_ranks = {*self._on, *(ranks[row] for row in order)}
        for row in order:
            first = self._first(excess[:, row], found[row])
            usual = float(excess[first:, row].mean())
            period = SlowPeriod(ranks[row], self._first_step(first, row, usual))
            for block in self._blocks[first:]:
                period.add(block, slow_ranks)
            self._on[ranks[row]] = period

    def _first(self, excess: NDArray[np.float64], last: int) -> int:
        """Returns the first of the blocks in which a rank is as slow as in the last ones."""
        level, first = float(lasting(excess[-last:])), len(excess) - last
        while first > 0 and excess[first - 1] >= max(level / 2, self._rule.share / 2):
            first -= 1
        return first

    def _first_step(self, first: int, row: int, level: float) -> int:
        """Returns the first step of the window in which a rank became slow.

        Of all windows of the first slow block and the one before it, that is the one which parts
        them best into usual ones and those with at least half of `level`.
        """
        blocks = self._blocks[max(0, first - 1) : first + 1]
        parts = [part for block in blocks for part in (block.parts or (block,))]
        above = np.cumsum([0.0, *(part.excess[row] - level / 2 for part in parts[:-1])])
        return parts[int(above.argmin())].first_step

    def _note_once(self, excess: NDArray[np.float64]) -> None:
        """Takes note of ranks that were slow in the block before the last one alone."""
        if len(excess) < 3:
            return
        before, at, after = excess[-3:]
        around = np.maximum(before, after)
        alone = (at >= _ONCE_SHARE) & (around < at / 4)
        for row in np.flatnonzero(alone).tolist():
            block = self._blocks[-2]
            period = SlowPeriod(block.ranks[row], block.first_step)
            period.add(block, {block.ranks[row]})
            self._once = [*self._once, period.straggler(is_once=True)]
        self._once = self.once[:_MOST_ONCE]
