"""Values by name as text, with bounds that matter."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.number_text import number_text

BOUND_SHOWN_ABOVE = 0.01
"""The bound above which a metric is shown with its bound."""


def format_values(values: Mapping[str, float], bounds: Mapping[str, float] | None = None) -> str:
    """Returns `name:value`, separated by spaces, with the bounds above `BOUND_SHOWN_ABOVE`."""
    bounds = bounds or {}
    return " ".join(
        f"{name}:{number_text(value)}" + _format_bound(bounds.get(name, 0.0))
        for name, value in values.items()
    )


def _format_bound(bound: float) -> str:
    return f"(±{bound:.3f})" if bound > BOUND_SHOWN_ABOVE else ""
