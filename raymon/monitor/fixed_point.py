"""Reals as integers in units of 2^-32, so that adding them is exact in any order."""

from __future__ import annotations

import math

from raymon.protos.report_pb2 import FixedPoint

FRACTION_BITS = 32
"""Bits after the binary point of a quantised real."""

LARGEST = 2.0**94
"""Reals beyond it do not fit on the wire, where a number of units has 128 bits."""

LARGEST_UNITS = round(math.ldexp(LARGEST, FRACTION_BITS))
"""`LARGEST` in units. A sum that reaches it is not known any more."""

_LOW_BITS = 64
_LOW_MASK = (1 << _LOW_BITS) - 1


def units(value: float) -> int:
    """A finite `value` in units of 2**-`FRACTION_BITS`, rounded; `LARGEST` where it is beyond."""
    return round(math.ldexp(min(max(value, -LARGEST), LARGEST), FRACTION_BITS))


def real(number: int) -> float:
    """The float64 nearest to `number` * 2**-`FRACTION_BITS`."""
    return number / (1 << FRACTION_BITS)


def encode(number: int) -> FixedPoint:
    """The message of a number of units."""
    return FixedPoint(high=number >> _LOW_BITS, low=number & _LOW_MASK)


def decode(message: FixedPoint) -> int:
    """The number of units of a message."""
    return int(message.high << _LOW_BITS | message.low)
