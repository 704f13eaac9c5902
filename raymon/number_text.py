"""Numbers as text: five decimals if they are enough, significant digits if not."""

from __future__ import annotations

import math

NO_VALUE = "-"
"""Text for a number that does not exist: NaN or an infinity."""

_ROUNDED = 0.005
"""Largest relative error of rounding, above which a number gets more digits."""

_LONG = 1e7
"""Number from which on five decimals are unreadable."""


def number_text(value: float) -> str:
    """Returns a loss, a metric or a learning rate as text.

    For instance `0.71234`, `0.00100`, `1e-06`, `2.5e+08`, `-`. The text is within half a percent of
    the number: nothing but 0 is shown as 0.00000.
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
    """Returns steps or seconds with two decimals, such as `52.31`, or two digits below 0.1."""
    if not math.isfinite(value):
        return NO_VALUE
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.1 else f"{value:.2g}"


def count_text(value: float) -> str:
    """Returns samples per second as an integer such as `168,474`, or two digits below 10."""
    if not math.isfinite(value):
        return NO_VALUE
    return f"{value:,.0f}" if value == 0 or abs(value) >= 10 else f"{value:.2g}"


def number_of(value: float) -> str:
    """Returns a figure that is mostly a count, such as `37` or `0.25`."""
    return f"{value:,.0f}" if math.isfinite(value) and value == int(value) else number_text(value)
