"""The separator between several values in one string."""

from __future__ import annotations

from collections.abc import Sequence

SEPARATORS = ("\x1d", "\x02", "\x01", "|", ";", ",", "^", "#", " ")

_LEAST_SHARE = 0.05
_LEAST_SEEN = 10
_FEWER = 0.8
_LONGEST = 64


def find_separator(values: Sequence[str], counts: Sequence[int]) -> str | None:
    """Returns the separator between several values in one string; None if there is none.

    It is one if a twentieth of the strings has it, and what stands between is much less varied than
    the strings are: the same values in other company.

    Args:
        values: Different strings of a column.
        counts: How often each of them is there.
    """
    total = sum(counts)
    for separator in SEPARATORS:
        having = sum(n for value, n in zip(values, counts, strict=True) if separator in value)
        if len(values) < _LEAST_SEEN or having < _LEAST_SHARE * total:
            continue
        parts = {part for value in values for part in value.split(separator)}
        short = all(len(part) <= _LONGEST for part in parts)
        # "[10,100)" and "Smith, John" have commas that separate nothing.
        plain = separator == " " or all(part == part.strip() for part in parts)
        closed = not any(part[:1] in "([{" or part[-1:] in ")]}" for part in parts if part)
        if short and plain and closed and len(parts) <= _FEWER * len(values):
            return separator
    return None
