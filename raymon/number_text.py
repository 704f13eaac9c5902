"""Numbers as text: five decimals where they say it, significant digits where they would not."""

from __future__ import annotations

import math

NO_VALUE = "-"
"""In the place of a number that does not exist: NaN, and what is beyond all numbers."""

_ROUNDED = 0.005
"""By how much, relative to itself, a number may be rounded before it gets more digits."""

_LONG = 1e7
"""From here on five decimals make a number that nobody reads."""


def number_text(value: float) -> str:
    """A loss, a metric, a learning rate: `0.71234`, `0.00100`, `1e-06`, `2.5e+08`, `-`.

    What is read back is within half a percent of the number: nothing but 0 is shown as 0.00000.
    """
    if not math.isfinite(value):
        return NO_VALUE
    if abs(value) >= _LONG:
        return f"{value:.6g}"
    text = f"{value:.5f}"
    if value == 0:
        return text.lstrip("-")
    return text if abs(float(text) - value) <= _ROUNDED * abs(value) else f"{value:.3g}"


def rate_text(value: float) -> str:
    """Steps or seconds: two decimals, as in `52.31`; significant digits where those would say 0."""
    if not math.isfinite(value):
        return NO_VALUE
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.1 else f"{value:.2g}"


def count_text(value: float) -> str:
    """Samples a second: whole, as in `168,474`; significant digits where few."""
    if not math.isfinite(value):
        return NO_VALUE
    return f"{value:,.0f}" if value == 0 or abs(value) >= 10 else f"{value:.2g}"


def number_of(value: float) -> str:
    """A figure that is mostly a count: `37`, `0.25`."""
    return f"{value:,.0f}" if math.isfinite(value) and value == int(value) else number_text(value)
