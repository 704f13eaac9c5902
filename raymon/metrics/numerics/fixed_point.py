"""Sample weights as integers, so that their sums do not depend on the order of adding."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MIN_WEIGHT, MAX_WEIGHT = 1e-30, 1e30
"""The range of a weight that is not 0; any other is invalid. Only the ratios of weights matter."""

_BELOW_MIN = math.nextafter(MIN_WEIGHT, 0)

_MOST_BITS = 40
_SUM_BITS = 62
_DOUBLE_MANTISSA_BITS = 52
_DOUBLE_EXPONENT_BIAS = 1023


def valid_weights(weights: Tensor) -> Tensor:
    """Returns the weights `[B]` as float64, with 0 for each that is invalid."""
    weights = weights.detach().double()
    # `hardshrink` is 0 where a weight is small enough and the weight itself where not, so that
    # the difference is 0, or NaN, where it is too large: a `where` would take five times as long.
    inside = (weights - torch.hardshrink(weights, MAX_WEIGHT)).nan_to_num_(nan=0.0).clamp_(min=0)
    return torch.hardshrink(inside, _BELOW_MIN)


def bad_weights(weights: Tensor, least: float = MIN_WEIGHT, most: float = MAX_WEIGHT) -> Tensor:
    """Returns how many weights of `[B]` are neither 0 nor in [least, most]: int64 scalar."""
    # In half precision the largest weight is infinite.
    weights = weights.detach().double()
    below = math.nextafter(least, 0)
    return torch.count_nonzero(torch.hardshrink(weights.clamp(0, most), below) - weights)


def relative_units(weights: Tensor) -> Tensor:
    """Returns weights as integers, in units of a power of 2 that the largest of them decides.

    So they are right to 2^-40 of the largest, or to 2^-(62 - n) of it if there are 2^n rows.

    Args:
        weights: Valid weights, float64 `[N]`. They must be all that are ever added up, so that any
            order of them, and any split among ranks, gives the same integers.

    Returns:
        The integers, int64 `[N]`, whose sum is below 2^62. Nothing waits for the device.
    """
    if len(weights) == 0:
        return weights.long()
    bits = min(_MOST_BITS, _SUM_BITS - len(weights).bit_length())
    exponent = torch.frexp(weights.max()).exponent.long()
    # A power of 2 by its bits: `exp2` may be off, and differently on different devices.
    power = (bits - exponent + _DOUBLE_EXPONENT_BIAS).bitwise_left_shift(_DOUBLE_MANTISSA_BITS)
    return (weights * power.view(torch.float64)).round_().long()


WEIGHT_BITS = 20
"""Bits of the fraction of a weight in a table; a row without a weight counts as `1 << 20`."""


def units_of_one(preds: Tensor) -> Tensor:
    """Returns the weight of rows without one, in units of 2^-WEIGHT_BITS.

    Args:
        preds: Scores of the rows, `[B, ...]`.

    Returns:
        The weights, int64 `[B]`, on the device of `preds`.
    """
    # One number for all rows. It is filled in on the device: a copy would wait.
    one = torch.full((), 1 << WEIGHT_BITS, dtype=torch.int64, device=preds.device)
    return one.expand(len(preds))
