"""Reals as integers in units of 2^-32 or 2^-128, so that adding them is exact in any order."""

from __future__ import annotations

import math

from raymon.protos.report_pb2 import FixedPoint

FRACTION_BITS = 32
"""Bits after the binary point of a quantised real."""

FINE_BITS = 128
"""The same of a sum of losses, which counts by its ratio to the sum of the weights of the rows: of
weights of 1e-25 it has 45 bits."""

LARGEST = 2.0**94
"""Reals beyond it are not told apart."""

LARGEST_UNITS = round(math.ldexp(LARGEST, FINE_BITS))
"""`LARGEST` in fine units. A sum that reaches it is not known any more."""


def units(value: float, fraction_bits: int = FRACTION_BITS) -> int:
    """A finite `value` in units of 2**-`fraction_bits`, rounded; `LARGEST` where it is beyond."""
    return round(math.ldexp(min(max(value, -LARGEST), LARGEST), fraction_bits))


def real(number: int, fraction_bits: int = FRACTION_BITS) -> float:
    """The float64 nearest to `number` * 2**-`fraction_bits`."""
    return number / (1 << fraction_bits)


def encode(number: int) -> FixedPoint:
    """The message of a number of fine units."""
    length = (number.bit_length() + 8) // 8 if number else 0
    return FixedPoint(units=number.to_bytes(length, "little", signed=True))


def decode(message: FixedPoint) -> int:
    """The number of fine units of a message; `LARGEST_UNITS` where it is beyond."""
    number = int.from_bytes(message.units, "little", signed=True)
    return max(-LARGEST_UNITS, min(number, LARGEST_UNITS))
