"""Which bin of a histogram a score falls into.

The last bin holds the scores that are NaN; the others are in the order of the scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

# Floats are dense near 0 and coarse elsewhere. So a score is binned by its distance from the
# nearest of 0, 1/2 and 1 (at most 1/4, and exact in float32): by the exponent and the first
# mantissa bits of that distance. _FLOOR is added to it, so that bins are equally wide, 2^-28, where
# it is small, and there is an end to their number.
_MANTISSA_BITS = 10
_SHIFT = 23 - _MANTISSA_BITS
_FLOOR = 2.0**-18


def _code(distance: float) -> int:
    return int(np.float32(distance + _FLOOR).view(np.int32)) >> _SHIFT


_FIRST = _code(0)
_QUARTER = _code(0.25) - _FIRST

ACCURATE_BINS = 4 * _QUARTER + 2
"""Number of bins of `accurate_bins`, that of NaN included."""


def accurate_bins(scores: Tensor) -> Tensor:
    """Bins that are fine near 0, 1/2 and 1, where the scores of a model crowd, and fine enough
    elsewhere: 1,024 for each halving of the distance from these, down to 4e-6.

    Args:
        scores: any shape, probabilities of any float type; those outside [0, 1] count as 0 or 1.

    Returns:
        int32 of the same shape, in [0, ACCURATE_BINS).
    """
    if scores.device.type == "cpu" and scores.dtype == torch.float32:
        # Small arrays take numpy half the time, and here a look at the scores costs nothing.
        array = scores.numpy()
        if array.min(initial=0) >= 0 and array.max(initial=0) <= 1:
            return torch.from_numpy(_bins(np, array))
    if scores.dtype != torch.float64:
        scores = scores.float()
    nan = scores.isnan()
    bins: Tensor = _bins(torch, scores.clamp(0, 1).masked_fill_(nan, 0))
    return bins.masked_fill_(nan, ACCURATE_BINS - 1)


def _bins(xp: Any, scores: Any) -> Any:
    """Arithmetic of numpy or of torch: signs choose, as `where` takes five times as long."""
    folded = xp.minimum(scores, 1 - scores)
    code = _bits(xp, xp.minimum(folded, 0.5 - folded) + _FLOOR)
    code >>= _SHIFT
    # The code rises from 0 to 1/4, falls to 1/2, rises to 3/4 and falls to 1: it is mirrored at
    # 1/4, then at 1/2. A number is negated where the mask of a sign, 0 or -1, is -1.
    code -= _QUARTER + _FIRST
    beyond = _bits(xp, 0.25 - folded)
    beyond >>= 31
    code ^= beyond
    code -= beyond
    code -= _QUARTER
    beyond = _bits(xp, 0.5 - scores)
    beyond >>= 31
    code ^= beyond
    code -= beyond
    code += 2 * _QUARTER
    return code


def _bits(xp: Any, reals: Any) -> Any:
    """The bits of reals as float32: int32, in the order of those that are positive."""
    if reals.dtype != xp.float32:
        reals = reals.to(xp.float32)
    return reals.view(xp.int32)


def threshold_bins(scores: Tensor, thresholds: int) -> Tensor:
    """The bins between `thresholds` equally spaced thresholds from 0 to 1.

    A score is in the bin of the largest threshold that it reaches, compared as
    `torchmetrics.functional.classification.binary_auroc` compares them.

    Args:
        scores: any shape, probabilities of any float type; those outside [0, 1] count as 0 or 1.
        thresholds: how many.

    Returns:
        int64 of the same shape, in [0, thresholds]; `thresholds` is the bin of NaN.
    """
    if scores.dtype != torch.float64:
        scores = scores.float()
    scores = scores.contiguous()
    edges = torch.linspace(0, 1, thresholds, dtype=torch.float32, device=scores.device)
    edges = edges.to(scores.dtype)
    bins = torch.bucketize(scores, edges, right=True).sub_(1).clamp_(0, thresholds - 1)
    return bins.masked_fill_(scores.isnan(), thresholds)
