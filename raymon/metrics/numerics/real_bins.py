"""The bins of a histogram that reals fall into."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

_EXPONENT_BIAS = 127
_MANTISSA_BITS = 23
_SIGN = 31

SLOT_BITS = 4
SLOTS = 1 << SLOT_BITS
"""Number of slots for the values of a bin."""

_MULTIPLIERS = (-0x61C8864F, -0x7A143589)


class RealBins:
    """Bins of all reals, in their order: by sign, exponent and first bits of the mantissa.

    Zero has a separate bin. Bins of negative numbers are wider than those of positive ones.

    Args:
        *steps: Pairs for positive numbers, of the exponent from which on each power of 2 has 2^bits
            bins, and the bits. Numbers below the first exponent share a bin.
        last: Exponent at which the steps end. Numbers from there on share a bin.
        negative_bits: Exponent of the width of negative bins: each is as wide as 2^negative_bits
            bins of positive numbers.
    """

    def __init__(self, *steps: tuple[int, int], last: int, negative_bits: int) -> None:
        # The bits of a float32 at which each part begins and ends, and how many are shifted out.
        edges = [(exponent + _EXPONENT_BIAS) << _MANTISSA_BITS for exponent, _ in steps]
        edges.append((last + _EXPONENT_BIAS) << _MANTISSA_BITS)
        shifts = [_MANTISSA_BITS - bits for _, bits in steps]
        self._parts = list(zip(pairwise(edges), shifts, strict=True))
        self._offset = sum(start >> shift for (start, _), shift in self._parts)
        positive = 1 + sum((end - start) >> shift for (start, end), shift in self._parts)
        self._negative_bits = negative_bits
        self._zero = -(-positive >> negative_bits)
        self.count = self._zero + 1 + positive

    def index(self, values: Tensor) -> Tensor:
        """Returns the bin of each value.

        Args:
            values: Values, float32 `[B]`; NaN is in the first or the last bin.

        Returns:
            The bins, int32 `[B]`, in [0, count).
        """
        # On a CPU operations in place, and bit operations without constants, are fastest.
        negative = values.view(torch.int32) >> _SIGN
        magnitude = values.abs().view(torch.int32)
        # 0 for zero, 1 for numbers below the first step.
        code = magnitude.clamp(max=1).sub_(self._offset)
        for (start, end), shift in self._parts:
            code += magnitude.clamp(start, end).bitwise_right_shift_(shift)
        # Codes of negative numbers are rounded up to the wider bins.
        code.sub_(negative, alpha=(1 << self._negative_bits) - 1)
        code.bitwise_right_shift_(negative * -self._negative_bits)
        return code.bitwise_xor_(negative).sub_(negative).add_(self._zero)


def slots(values: Tensor) -> Tensor:
    """Returns a pseudorandom slot for each value, the same for equal values.

    Args:
        values: Values, float32 `[B]`; 0.0 and -0.0 are two values.

    Returns:
        The slots, int32 `[B]`, in [0, SLOTS).
    """
    bits = values.view(torch.int32)
    # One more mixing at the start: all low bits of short floats are 0.
    bits = (bits ^ (bits >> 12)).mul_(_MULTIPLIERS[0])
    bits.bitwise_xor_(bits >> 15).mul_(_MULTIPLIERS[1])
    return bits.bitwise_right_shift_(32 - SLOT_BITS).bitwise_and_(SLOTS - 1)
