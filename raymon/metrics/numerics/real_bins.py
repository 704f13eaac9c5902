"""Which bin of a histogram a real falls into."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

_EXPONENT_BIAS = 127
_MANTISSA_BITS = 23
_SIGN = 31

SLOT_BITS = 4
SLOTS = 1 << SLOT_BITS
"""How many slots there are for the values of a bin."""

_MULTIPLIERS = (-0x61C8864F, -0x7A143589)


class RealBins:
    """Bins of all reals, in their order: by sign, exponent and first bits of the mantissa.

    Zero has a bin of its own. Those of negative numbers are the wider ones.

    Args:
        steps: of positive numbers, the exponent from which on each power of 2 has 2^bits bins,
            and the bits; the last exponent is where they end. Numbers below the first share a
            bin, and those from the last.
        negative_bits: 2^negative_bits bins of positive numbers are one of negative numbers.
    """

    def __init__(self, *steps: tuple[int, int], last: int, negative_bits: int) -> None:
        # By the bits of a float32: where each part begins and ends, and what is shifted out.
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
        """The bin of each value.

        Args:
            values: float32 `[B]`; NaN is in the first or the last bin.

        Returns:
            int32 `[B]`, in [0, count).
        """
        # On a CPU what is done in place, and without constants in bit operations, is fastest.
        negative = values.view(torch.int32) >> _SIGN
        magnitude = values.abs().view(torch.int32)
        # 0 for zero, 1 for what is below the first step.
        code = magnitude.clamp(max=1).sub_(self._offset)
        for (start, end), shift in self._parts:
            code += magnitude.clamp(start, end).bitwise_right_shift_(shift)
        # Of a negative number, rounded up to the wider bins.
        code.sub_(negative, alpha=(1 << self._negative_bits) - 1)
        code.bitwise_right_shift_(negative * -self._negative_bits)
        return code.bitwise_xor_(negative).sub_(negative).add_(self._zero)


def slots(values: Tensor) -> Tensor:
    """A slot for each value, as by chance, and the same for equal values.

    Args:
        values: float32 `[B]`; 0.0 and -0.0 are two values.

    Returns:
        int32 `[B]`, in [0, SLOTS).
    """
    bits = values.view(torch.int32)
    # Once more at the start: of short floats all low bits are 0.
    bits = (bits ^ (bits >> 12)).mul_(_MULTIPLIERS[0])
    bits.bitwise_xor_(bits >> 15).mul_(_MULTIPLIERS[1])
    return bits.bitwise_right_shift_(32 - SLOT_BITS).bitwise_and_(SLOTS - 1)
