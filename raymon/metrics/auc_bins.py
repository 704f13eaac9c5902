"""Which bin of a histogram a score falls into.

The last bin holds the scores that are NaN; the others are in the order of the scores.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Floats are dense near 0 and coarse elsewhere. So a score is binned by its distance from the
# nearest of 0, 1/2 and 1 (at most 1/4, and exact in float32): by the exponent and the first
# mantissa bits of that distance. Distances below 2^-40 share a bin.
_MANTISSA_BITS = 8
_SHIFT = 23 - _MANTISSA_BITS
_EXPONENT_BIAS = 127
_BELOW_ALL = ((_EXPONENT_BIAS - 40) << _MANTISSA_BITS) - 1
_QUARTER = ((_EXPONENT_BIAS - 2) << _MANTISSA_BITS) - _BELOW_ALL

ACCURATE_BINS = 4 * _QUARTER + 2
"""Number of bins of `accurate_bins`, that of NaN included."""


def accurate_bins(scores: Tensor) -> Tensor:
    """Bins that are fine near 0, 1/2 and 1, where the scores of a model crowd.

    Args:
        scores: any shape, probabilities of any float type; those outside [0, 1] count as 0 or 1.

    Returns:
        int32 of the same shape, in [0, ACCURATE_BINS).
    """
    upper = scores > 0.5
    folded = torch.minimum(scores, 1 - scores)
    inner = folded > 0.25
    distance = torch.minimum(folded, 0.5 - folded).float()
    # The largest float is beyond every clamp below, whatever the sign bit of the NaN was.
    distance = distance.nan_to_num_(nan=torch.finfo(torch.float32).max)
    code = distance.view(torch.int32).bitwise_right_shift(_SHIFT)
    code = code.sub_(_BELOW_ALL).clamp_(0, ACCURATE_BINS - 1)
    code = torch.where(inner, 2 * _QUARTER - code, code)
    return torch.where(upper, 4 * _QUARTER - code, code)


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
