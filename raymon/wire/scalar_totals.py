"""Scalars that the user logged, added up over steps and ranks exactly, in any order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from raymon.protos.report_pb2 import ScalarTotal as ScalarTotalMessage
from raymon.wire.fixed_point import FINE_BITS, LARGEST, encode, units

MEAN, SUM, MIN, MAX = "mean", "sum", "min", "max"

REDUCTIONS = (MEAN, SUM, MIN, MAX)
"""How values of one name become one, in the order of the message's numbers."""

_LARGEST_SUM = 1 << 300
"""More than any sum of as many values as can be counted, in units of 2**-FINE_BITS."""


@dataclass
class ScalarTotal:
    """The values of one name and one reduction.

    Each value is rounded to a unit of 2^-128 once, before it is added, so that a sum does not
    depend on which rank or window a value was in.

    Attributes:
        reduction: One of `REDUCTIONS`.
        count: Number of values that are in it.
        non_finite: Number of values that are NaN, infinite, or too large to be added.
        sum: Sum of the values in units of 2^-128; 0 for a minimum or maximum.
        extreme: Minimum or maximum; 0.0 where there is none.
    """

    reduction: str
    count: int = 0
    non_finite: int = 0
    sum: int = 0
    extreme: float = 0.0

    @classmethod
    def of(cls, reduction: str, values: Iterable[float]) -> ScalarTotal:
        """Returns the total of single values."""
        known = list(values)
        if reduction in (MIN, MAX):
            kept = [value for value in known if math.isfinite(value)]
            # Of 0.0 and -0.0 either would be the extreme, by the order in which they come.
            extreme = (min if reduction == MIN else max)(kept, default=0.0) + 0.0
            return cls(reduction, len(kept), len(known) - len(kept), extreme=extreme)
        kept = [value for value in known if abs(value) <= LARGEST]
        total = sum(units(value, FINE_BITS) for value in kept)
        return cls(reduction, len(kept), len(known) - len(kept), total)

    def add(self, other: ScalarTotal) -> None:
        """Adds the values of other ranks or steps, of the same reduction."""
        if self.count and other.count and self.reduction in (MIN, MAX):
            pick = min if self.reduction == MIN else max
            self.extreme = pick(self.extreme, other.extreme)
        elif other.count:
            self.extreme = other.extreme
        self.sum += other.sum
        self.count += other.count
        self.non_finite += other.non_finite

    @property
    def value(self) -> float:
        """The mean, sum, minimum or maximum of the finite values; NaN if there are none."""
        if not self.count:
            return math.nan
        if self.reduction in (MIN, MAX):
            return self.extreme
        return self.sum / ((self.count if self.reduction == MEAN else 1) << FINE_BITS)


ScalarTotals = dict[tuple[str, str], ScalarTotal]
"""Totals by name and reduction. A name that has two reductions has no value."""


def merge_scalars(total: ScalarTotals, parts: Mapping[tuple[str, str], ScalarTotal]) -> None:
    """Adds the totals of further ranks or steps to `total`."""
    for key, part in parts.items():
        total.setdefault(key, ScalarTotal(part.reduction)).add(part)


def encode_scalars(totals: Mapping[tuple[str, str], ScalarTotal]) -> list[ScalarTotalMessage]:
    """Returns the messages that `decode_scalars` reads, in the order of the names."""
    return [
        ScalarTotalMessage(
            name=name,
            reduction=reduction.upper(),
            count=total.count,
            non_finite=total.non_finite,
            sum=encode(total.sum),
            extreme=total.extreme,
        )
        for (name, reduction), total in sorted(totals.items())
    ]


def decode_scalars(messages: Iterable[ScalarTotalMessage]) -> ScalarTotals:
    """Returns the totals of messages.

    Raises:
        ValueError: A message is of no reduction that is known, or has a number that is none.
    """
    totals: ScalarTotals = {}
    for message in messages:
        if message.reduction >= len(REDUCTIONS):
            raise ValueError(f"scalar {message.name}: reduction {message.reduction} is not known")
        total = int.from_bytes(message.sum.units, "little", signed=True)
        if not math.isfinite(message.extreme) or abs(total) > _LARGEST_SUM:
            raise ValueError(f"scalar {message.name}: its total is no number")
        reduction = REDUCTIONS[message.reduction]
        part = ScalarTotal(reduction, message.count, message.non_finite, total, message.extreme)
        merge_scalars(totals, {(message.name, reduction): part})
    return totals
