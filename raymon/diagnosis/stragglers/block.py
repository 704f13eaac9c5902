"""The work of all ranks over some steps, compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from raymon.diagnosis.step_window import StepWindow
from raymon.diagnosis.stragglers.others import median_of_others
from raymon.results import OWN_PHASES, PEERS, STEP_PHASES, RankNumbers

_PEERS = STEP_PHASES.index(PEERS)
_OWN = [STEP_PHASES.index(phase) for phase in OWN_PHASES]


@dataclass(frozen=True, eq=False)
class Block:
    """The work of all ranks over the steps [first_step, end_step).

    Attributes:
        ranks: The R ranks.
        first_step: First of the steps.
        end_step: Step that follows the last one.
        samples: Rows that all ranks trained on.
        phases: Seconds of each of `STEP_PHASES` of each rank, `[R, P]`.
        parts: The windows that the block is the sum of; empty if it is a window itself.
    """

    ranks: tuple[int, ...]
    first_step: int
    end_step: int
    samples: int
    phases: NDArray[np.float64]
    parts: tuple[Block, ...] = ()

    @classmethod
    def of(cls, window: StepWindow) -> Block | None:
        """Returns the block of a window; None if its ranks cannot be compared.

        That is so for a single rank, for windows that lack ranks, and where nobody measures how
        long ranks wait for each other: then their work takes equally long, whoever is slow.
        """
        numbers = window.numbers
        if numbers is None or window.steps <= 0:
            return None
        if len(numbers.ranks) < max(2, window.world_size):
            return None
        phases = _phases(numbers)
        if phases[:, _PEERS].sum() <= 0 or (phases.sum(axis=1) <= 0).any():
            return None
        return cls(numbers.ranks, window.first_step, window.end_step, window.samples, phases)

    @classmethod
    def sum_of(cls, parts: tuple[Block, ...]) -> Block:
        """Returns the sum of the blocks of the same ranks."""
        first, last = parts[0], parts[-1]
        samples, phases = sum(part.samples for part in parts), sum(part.phases for part in parts)
        return cls(first.ranks, first.first_step, last.end_step, samples, np.asarray(phases), parts)

    @property
    def seconds(self) -> float:
        """Seconds of the slowest rank."""
        return float(self.phases.sum(axis=1).max())

    @property
    def own(self) -> NDArray[np.float64]:
        """Seconds of each rank's own work, without waiting for others, `[R]`."""
        return np.asarray(self.phases[:, _OWN].sum(axis=1))

    @property
    def more_than_others(self) -> NDArray[np.float64]:
        """Seconds of each rank by phase above the median of the others, `[R, P]`; 0 for peers."""
        more = self.phases - median_of_others(self.phases)
        more[:, _PEERS] = 0
        return more

    @cached_property
    def excess(self) -> NDArray[np.float64]:
        """Share of the step by which each rank holds up the others, `[R]`; below 0 if it does not.

        It is the time by which its own work takes longer than that of the others, as far as they
        wait longer than it does: of two ranks, between which there is no majority, the one that
        waits less is the slow one.
        """
        own, peers = self.own, self.phases[:, _PEERS]
        longer, waited = own - median_of_others(own), median_of_others(peers) - peers
        return np.asarray(np.minimum(longer, waited) / self.seconds)


def _phases(numbers: RankNumbers) -> NDArray[np.float64]:
    """Returns the seconds of each of `STEP_PHASES` of each rank, `[R, P]`; 0 where unknown."""
    known = _columns(numbers.names)
    phases = np.zeros((len(numbers.ranks), len(STEP_PHASES)))
    phases[:, list(known)] = numbers.values[:, list(known.values())]
    phases[np.isnan(phases)] = 0
    return phases


@cache
def _columns(names: tuple[str, ...]) -> dict[int, int]:
    """Returns the columns of the phases among `names`, by the places of the phases."""
    return {place: names.index(phase) for place, phase in enumerate(STEP_PHASES) if phase in names}
