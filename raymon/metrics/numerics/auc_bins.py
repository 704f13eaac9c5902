"""The bins of a histogram that scores fall into.

The last bin holds the scores that are NaN; the others are in the order of the scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Floats are dense near 0 and coarse elsewhere. So a score is binned by its distance from the
# nearest of 0, 1/2 and 1 (at most 1/4, and exact in float32): by the exponent and the first
# mantissa bits of twice that distance. _FLOOR is added to it, so that bins are equally wide, 2^-28,
# where it is small, and there is an end to their number.
_MANTISSA_BITS = 10
_SHIFT = 23 - _MANTISSA_BITS
_FLOOR = 2.0**-17


def _code(twice: float) -> int:
    return int(np.float32(twice + _FLOOR).view(np.int32)) >> _SHIFT


_FIRST = _code(0)
_QUARTER = _code(0.5) - _FIRST

_ONE = int(np.float32(1).view(np.uint32))

ACCURATE_BINS = 4 * _QUARTER + 2
"""Number of bins of `accurate_bins`, including that of NaN."""


def accurate_bins(scores: Tensor) -> Tensor:
    """Returns bins that are fine near 0, 1/2 and 1, where the scores of a model crowd.

    They are fine enough elsewhere: 1,024 for each halving of the distance from these, down to 4e-6.

    Args:
        scores: Probabilities of any shape and float type; those outside [0, 1] count as 0 or 1.

    Returns:
        The bins, int32 of the same shape, in [0, ACCURATE_BINS).
    """
    if scores.device.type == "cpu" and scores.dtype == torch.float32:
        # Small arrays take numpy half the time, and on the CPU checking the scores is cheap.
        array = scores.numpy()
        if all_inside(array):
            return torch.from_numpy(_bins(np, array))
    if scores.dtype != torch.float64:
        scores = scores.float()
    nan = scores.isnan()
    bins: Tensor = _bins(torch, scores.clamp(0, 1).masked_fill_(nan, 0))
    return bins.masked_fill_(nan, ACCURATE_BINS - 1)


def all_inside(scores: NDArray[np.float32]) -> bool:
    """Whether no score is NaN or outside [0, 1]; -0.0 counts as outside."""
    # The bits of numbers that are negative or NaN are larger than those of 1.
    return bool(scores.view(np.uint32).max(initial=0) <= _ONE)


def _bins(xp: Any, scores: Any) -> Any:
    """Returns bins by the arithmetic of numpy or torch.

    It avoids `where`, which takes five times as long.
    """
    distance = scores + scores
    nearest = distance.round()
    distance -= nearest
    distance = _cast(distance, xp.float32)
    # 0, or -1 if the score is below the nearest point.
    below = distance.view(xp.int32) >> 31
    code = (abs(distance) + _FLOOR).view(xp.int32)
    code >>= _SHIFT
    code -= _FIRST
    # Negated if it is below.
    code ^= below
    code -= below
    nearest *= 2 * _QUARTER
    code += _cast(nearest, xp.int32)
    return code


def _cast(reals: Any, kind: Any) -> Any:
    return reals.to(kind) if isinstance(reals, Tensor) else reals.astype(kind, copy=False)


def accurate_edges() -> NDArray[np.float64]:
    """Returns the edges of the bins of `accurate_bins` without that of NaN, from 0 to 1.

    Returns:
        float64 `[ACCURATE_BINS]`: bin i has the scores from edge i to edge i + 1.
    """
    # The least distance of a score from its nearest point, by code.
    codes = np.arange(1, _QUARTER + 1, dtype=np.int32) + _FIRST
    distance = (codes << _SHIFT).view(np.float32).astype(np.float64) - _FLOOR
    above = [point + distance for point in (0, 1)]
    below = [point - distance[::-1] for point in (1, 2)]
    inner = np.concatenate([above[0], below[0], above[1], below[1]]) / 2
    return np.concatenate([[0.0], inner, [1.0]])


def threshold_bins(scores: Tensor, edges: Tensor) -> Tensor:
    """Returns the bins between thresholds.

    A score is in the bin of the largest threshold that it reaches, compared as
    `torchmetrics.functional.classification.binary_auroc` compares them.

    Args:
        scores: Probabilities of any shape and float type; those outside [0, 1] count as 0 or 1.
        edges: Thresholds from 0 to 1, float32 `[T]`, on the device of the scores. Made on the CPU,
            as devices round `linspace` differently.

    Returns:
        The bins, int64 of the same shape, in [0, T]; T is the bin of NaN.
    """
    thresholds = len(edges)
    if scores.dtype != torch.float64:
        scores = scores.float()
    scores = scores.contiguous()
    bins = (
        torch.bucketize(scores, edges.to(scores.dtype), right=True)
        .sub_(1)
        .clamp_(0, thresholds - 1)
    )
    return bins.masked_fill_(scores.isnan(), thresholds)
