"""How likely it is that a rank is slow by chance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from raymon.diagnosis.stragglers.student import upper_tail

_PRIOR_NOISE = 0.03
_PRIOR_DEGREES = 5
"""What is taken for the noise before anything is known of it, and how well it is known."""

_MOST_DEGREES = 60

_MOST_DEVIATIONS = 8.0
"""Changes beyond this many median ones count as that many, so that one blip hides no straggler."""


def chance(excess: NDArray[np.float64], rank: int, last: int) -> float:
    """Returns the chance that any rank is as slow by chance as this one was in the last blocks.

    Noise is what changes from a block to the next; a rank that is slow stays so. How slow it is, is
    held against the noise by Student's t test, against that of all ranks or of this one, whichever
    is larger. Noise with heavy tails is held off by a count: how often any rank was as slow, in one
    block alone.

    Args:
        excess: Shares by which ranks hold up the others, `[W, R]`, the newest block last.
        rank: Row of the rank.
        last: Number of the last blocks in which it is slow, 2 or more.
    """
    ranks = excess.shape[1]
    level = float(lasting(excess[-last:])[rank])
    noise, degrees = _noise(excess, rank, last)
    by_chance: float = ranks * upper_tail(max(0.0, level) * math.sqrt(last) / noise, degrees)
    alone = _alone(excess, float(excess[-last:, rank].min()))
    if alone:
        by_chance = max(by_chance, ranks * ((alone + 1) / (excess.size + 1)) ** last)
    return min(1.0, by_chance)


def lasting(excess: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns by how much each rank is slow throughout some blocks, `[R]`.

    It is the mean of the lower half of the blocks, which one that is very slow does not lift.

    Args:
        excess: Shares by which ranks hold up the others, `[W, R]`.
    """
    half = (len(excess) + 1) // 2
    return np.asarray(np.sort(excess, axis=0)[:half].mean(axis=0))


def _noise(excess: NDArray[np.float64], rank: int, last: int) -> tuple[float, int]:
    """Returns the standard deviation of a block, and its degrees of freedom."""
    blocks, ranks = excess.shape
    kept = np.ones(blocks - 1, bool)
    # The change from usual to slow is no noise, and the first steps of a run are like no others.
    if blocks > last:
        kept[blocks - last - 1] = False
    if blocks > 3:
        kept[0] = False
    changes = np.abs(np.diff(excess, axis=0)[kept])
    prior = _PRIOR_DEGREES * _PRIOR_NOISE**2
    if not len(changes):
        return _PRIOR_NOISE, _PRIOR_DEGREES
    most = max(_MOST_DEVIATIONS * float(np.median(changes)), 3 * _PRIOR_NOISE)
    squares = np.minimum(changes, most) ** 2 / 2
    of_rank = (prior + squares[:, rank].sum()) / (_PRIOR_DEGREES + len(squares))
    of_all = (prior + squares.sum()) / (_PRIOR_DEGREES + squares.size)
    # Changes that follow each other share a block, and so are worth fewer than they are.
    degrees = _PRIOR_DEGREES + 2 * len(squares) * (ranks - 1) // 3
    return math.sqrt(max(of_rank, of_all)), min(_MOST_DEGREES, degrees)


def _alone(excess: NDArray[np.float64], threshold: float) -> int:
    """Returns how often ranks were that slow in one block, and not in those around it."""
    slow, nearly = excess >= threshold, excess >= threshold / 2
    before = np.zeros_like(slow)
    before[1:] = nearly[:-1]
    after = np.zeros_like(slow)
    after[:-1] = nearly[1:]
    return int((slow & ~before & ~after).sum())
