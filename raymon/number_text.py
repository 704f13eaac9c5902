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


def duration_text(seconds: float) -> str:
    """Returns a time such as `42 s`, `3 min`, `2 h 5 min` or `3 d 4 h`."""
    if not math.isfinite(seconds):
        return NO_VALUE
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def bytes_text(count: float) -> str:
    """Returns bytes such as `640 MB` or `1.2 GB`, of thousands."""
    if not math.isfinite(count):
        return NO_VALUE
    scaled, *units = count, "B", "kB", "MB", "GB"
    for unit in units:
        if abs(scaled) < 999.5:
            return f"{scaled:.0f} {unit}" if scaled >= 10 or unit == "B" else f"{scaled:.1f} {unit}"
        scaled /= 1000
    return f"{scaled:,.1f} TB"
