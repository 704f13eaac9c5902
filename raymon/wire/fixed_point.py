"""Reals as integers in units of 2^-32 or 2^-128, so that adding them is exact in any order."""

from __future__ import annotations

import math

from raymon.protos.report_pb2 import FixedPoint

FRACTION_BITS = 32
"""Bits after the binary point of a quantised real."""

FINE_BITS = 128
"""Bits after the binary point of a sum of losses.

Such a sum matters by its ratio to the sum of the weights of the rows: for weights of 1e-25 it still
has 45 bits.
"""

LARGEST = 2.0**94
"""The largest absolute value of a real; larger ones become this one."""

LARGEST_UNITS = round(math.ldexp(LARGEST, FINE_BITS))
"""`LARGEST` in units of 2**-FINE_BITS; a sum that has reached it is no longer known."""


def units(value: float, fraction_bits: int = FRACTION_BITS) -> int:
    """Returns a finite value in units of 2**-`fraction_bits`, rounded, and at most `LARGEST`."""
    return round(math.ldexp(min(max(value, -LARGEST), LARGEST), fraction_bits))


def real(number: int, fraction_bits: int = FRACTION_BITS) -> float:
    """Returns the float64 nearest to `number` * 2**-`fraction_bits`."""
    return number / (1 << fraction_bits)


def encode(number: int) -> FixedPoint:
    """Returns the message of a number of units of 2**-FINE_BITS."""
    length = (number.bit_length() + 8) // 8 if number else 0
    return FixedPoint(units=number.to_bytes(length, "little", signed=True))


def decode(message: FixedPoint) -> int:
    """Returns the units of 2**-FINE_BITS of a message, at most `LARGEST_UNITS`."""
    number = int.from_bytes(message.units, "little", signed=True)
    return max(-LARGEST_UNITS, min(number, LARGEST_UNITS))
