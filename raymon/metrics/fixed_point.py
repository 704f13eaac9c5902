"""Sample weights as integers, so that their sums do not depend on the order of adding."""

from __future__ import annotations

import torch
from torch import Tensor

WEIGHT_BITS = 16
"""A weight is a count of units of 2^-16; a sample without weight weighs `1 << WEIGHT_BITS`."""


def weight_units(weights: Tensor | None, preds: Tensor) -> Tensor:
    """The weight of every sample, in units of 2^-WEIGHT_BITS.

    Args:
        weights: `[B]`, finite and not negative; None where every sample weighs 1.
        preds: `[B]` or `[B, C]`, the scores of the same samples.

    Returns:
        int64 `[B]`, on the device of `preds`.
    """
    if weights is None:
        return torch.full((len(preds),), 1 << WEIGHT_BITS, dtype=torch.int64, device=preds.device)
    return (weights.detach().double() * (1 << WEIGHT_BITS)).round_().to(torch.int64)
