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
# mantissa bits of that distance; more of them where it is not small, because the scores of a model
# that has learned little crowd about the share of positives, wherever that is. Distances below
# 2^-36 share a bin.
_FINE_BITS = 10
_COARSE_BITS = 8
_EXPONENT_BIAS = 127
_SMALLEST = (_EXPONENT_BIAS - 36) << 23
_FINE_FROM = (_EXPONENT_BIAS - 10) << 23
_FINE_SHIFT = 23 - _FINE_BITS
_COARSE_SHIFT = 23 - _COARSE_BITS
# What the code of a distance below the smallest is before it is set to 0.
_OFFSET = (_SMALLEST >> _COARSE_SHIFT) - 1 + (_FINE_FROM >> _FINE_SHIFT)
_QUARTER = (
    (_FINE_FROM >> _COARSE_SHIFT) + ((_EXPONENT_BIAS - 2) << 23 >> _FINE_SHIFT) - _OFFSET
)  # the code of a distance of 1/4

ACCURATE_BINS = 4 * _QUARTER + 2
"""Number of bins of `accurate_bins`, that of NaN included."""


def accurate_bins(scores: Tensor) -> Tensor:
    """Bins that are fine near 0, 1/2 and 1, where the scores of a model crowd, and fine enough
    elsewhere: 1,024 for each halving of the distance from these down to 2^-10, 256 below.

    Args:
        scores: any shape, probabilities of any float type; those outside [0, 1] count as 0 or 1.

    Returns:
        int32 of the same shape, in [0, ACCURATE_BINS).
    """
    if scores.device.type == "cpu" and scores.dtype == torch.float32:
        # Small arrays take numpy half the time.
        array = np.clip(scores.numpy(), _LEAST, 1)
        if np.isnan(array.max(initial=0)):
            array[np.isnan(array)] = _NAN
        return torch.from_numpy(_bins(np, array))
    if scores.dtype != torch.float64:
        scores = scores.float()
    clamped = scores.clamp(_LEAST, 1).nan_to_num_(nan=_NAN)
    bins: Tensor = _bins(torch, clamped)
    return bins


# In the bin of 0, and without the negative twin that 0 has.
_LEAST = 1e-30
# What a NaN becomes: the only score at a negative distance.
_NAN = 2.0


def _bins(xp: Any, scores: Any) -> Any:
    """Arithmetic of numpy or of torch: signs choose, as `where` takes five times as long."""
    folded = xp.minimum(scores, 1 - scores)
    distance = _bits(xp, xp.minimum(folded, 0.5 - folded))
    code = xp.clip(distance, _SMALLEST - (1 << _COARSE_SHIFT), _FINE_FROM)
    code >>= _COARSE_SHIFT
    fine = xp.clip(distance, _FINE_FROM, None)
    fine >>= _FINE_SHIFT
    code += fine
    code += distance >> 31
    # The code rises from 0 to 1/4, falls to 1/2, rises to 3/4 and falls to 1: it is mirrored at
    # 1/4, then at 1/2. A number is negated where the mask of its sign, 0 or -1, is -1.
    code -= _QUARTER + _OFFSET
    beyond = _bits(xp, 0.25 - folded) >> 31
    code ^= beyond
    code -= beyond
    code -= _QUARTER
    beyond = _bits(xp, 0.5 - scores) >> 31
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
    edges = torch.linspace(0, 1, thresholds, device=scores.device).to(scores.dtype)
    bins = torch.bucketize(scores, edges, right=True).sub_(1).clamp_(0, thresholds - 1)
    return bins.masked_fill_(scores.isnan(), thresholds)
