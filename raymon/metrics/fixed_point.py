"""Sample weights as integers, so that their sums do not depend on the order of adding."""

from __future__ import annotations

import torch
from torch import Tensor

WEIGHT_BITS = 20
"""A weight is a count of units of 2^-20; a sample without weight weighs `1 << WEIGHT_BITS`.

So a weight is right to 5e-7, and there is room for 8e12 samples of weight 1. Weights should be
about 1 on average: those below 5e-7 count nothing.
"""

MAX_WEIGHT = 2.0**20
"""Weights above it, below 0 and NaN are invalid. There is room for 8e6 samples of this weight."""


def weight_units(weights: Tensor | None, preds: Tensor) -> Tensor:
    """The weight of every sample, in units of 2^-WEIGHT_BITS.

    Args:
        weights: `[B]`; None where every sample weighs 1. An invalid weight counts 0.
        preds: `[B]` or `[B, C]`, the scores of the same samples.

    Returns:
        int64 `[B]`, on the device of `preds`.
    """
    if weights is None:
        # One number, as often as there are rows. Filled on the device: a copy would wait.
        one = torch.full((), 1 << WEIGHT_BITS, dtype=torch.int64, device=preds.device)
        return one.expand(len(preds))
    weights = weights.detach().double()
    # `hardshrink` is 0 where a weight is small enough and the weight itself where not, so that
    # the difference is 0, or NaN, where it is too large: a `where` would take five times as long.
    valid = (weights - torch.hardshrink(weights, MAX_WEIGHT)).nan_to_num_(nan=0.0).clamp_(min=0)
    return valid.mul_(1 << WEIGHT_BITS).round_().to(torch.int64)
