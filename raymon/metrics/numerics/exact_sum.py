"""Sums of real figures that do not depend on how the rows are split or ordered.

A figure is rounded to float32, a mantissa of 24 bits times a power of 2, and the mantissa is added
to the integer of its power. Integers add up exactly, and those of all powers together hold any
figure from 1e-45 to 3e38: 2^39 rows of each before one could overflow.
"""

from __future__ import annotations

import torch
from torch import Tensor

SUM_BINS = 255
"""Length of a sum: a bin for each power of 2 that float32 has, the last for what is not finite."""

_MANTISSA_BITS = 23
_SMALLEST_EXPONENT = -149
_DOUBLE_MANTISSA_BITS = 52
_DOUBLE_EXPONENT_BIAS = 1023

_POWER_OF_ONE = 126
_ONE = 1 << _MANTISSA_BITS


def add_ones(bins: Tensor, count: Tensor | int) -> None:
    """Adds 1.0, `count` times.

    Args:
        bins: Sum that is added to in place, int64 `[SUM_BINS]`.
        count: Number, or int64 scalar.
    """
    bins.select(0, _POWER_OF_ONE).add_(count * _ONE)


def add_weighted(bins: Tensor, figures: Tensor, weights: Tensor | None = None) -> None:
    """Adds figures, each times its weight.

    Args:
        bins: Sum that is added to in place, int64 `[SUM_BINS]`.
        figures: Figures, not negative, float64 `[B]`. One that is above 3e38 when weighted,
            infinite or NaN makes the sum infinite.
        weights: Valid weights, float64 `[B]`; None if all are 1.
    """
    weighted = figures.float() if weights is None else (figures * weights).float()
    # The sign that is cut off is that of a NaN or of -0.
    bits = weighted.view(torch.int32).bitwise_and_(0x7FFFFFFF)
    # The bits are the exponent, then the mantissa without its leading 1. Taking one less than the
    # exponent away leaves the 1 there, and numbers that have none, of exponent 0, as they are.
    power = bits.bitwise_right_shift(_MANTISSA_BITS).sub_(1).clamp_(min=0)
    mantissa = torch.sub(bits, power, alpha=1 << _MANTISSA_BITS)
    bins.index_add_(0, power, mantissa.to(torch.int64))


def exact_total(bins: Tensor) -> Tensor:
    """Returns the sum of what was added to `bins`, int64 `[SUM_BINS]`: float64 scalar."""
    exponent = torch.arange(SUM_BINS - 1, device=bins.device) + _SMALLEST_EXPONENT
    # A power of 2 by its bits: `exp2` may be off, and differently on different devices.
    power = (exponent + _DOUBLE_EXPONENT_BIAS).bitwise_left_shift_(_DOUBLE_MANTISSA_BITS)
    total = (bins[:-1].double() * power.view(torch.float64)).sum()
    return total.masked_fill(bins[-1] > 0, float("inf"))
