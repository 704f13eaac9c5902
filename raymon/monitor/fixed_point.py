"""Reals as integers times a power of two, so that adding them is exact in any order."""

from __future__ import annotations

import math

from raymon.protos.report_pb2 import FixedPoint

FRACTION_BITS = 32
"""Bits after the binary point of a quantised real, where its size leaves room for them."""

_INT64_BITS = 63


def fraction_bits(largest: float) -> int:
    """Bits after the binary point that leave a 64-bit integer room for `largest`.

    At most `FRACTION_BITS`, and negative for reals above 2**63.
    """
    if largest == 0:
        return FRACTION_BITS
    _, exponent = math.frexp(largest)
    return min(FRACTION_BITS, _INT64_BITS - 1 - exponent)


def quantise(value: float) -> FixedPoint:
    """`value`, which is finite, as the nearest multiple of 2**-`fraction_bits`."""
    bits = max(0, fraction_bits(abs(value)))
    limit = 2**_INT64_BITS - 1
    return FixedPoint(
        value=max(-limit, min(limit, round(math.ldexp(value, bits)))), fraction_bits=bits
    )


def exact(number: FixedPoint) -> int:
    """The number in units of 2**-`FRACTION_BITS`, as an integer of any size."""
    return int(number.value) << (FRACTION_BITS - number.fraction_bits)


def real(units: int) -> float:
    """The float64 nearest to `units` * 2**-`FRACTION_BITS`."""
    return units / (1 << FRACTION_BITS)
