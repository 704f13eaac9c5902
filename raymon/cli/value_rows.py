"""Rows of names and values that fit a terminal, whose names stay whole."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence

from raymon.number_text import number_of, number_text

_KEEPS = "\N{NO-BREAK SPACE}"
"""In the place of a space that is no place to break a line."""

_LEAST = 40


def output_width() -> int | None:
    """Columns of the terminal that standard output is; None where it is none: a file has no end of
    a line."""
    try:
        is_terminal = sys.stdout.isatty()
    except (AttributeError, ValueError, OSError):
        return None
    return max(shutil.get_terminal_size().columns, _LEAST) if is_terminal else None


def row_lines(label: str, text: str, labels: int, width: int | None) -> list[str]:
    """The lines of a row: its label, and the text beside it.

    Args:
        label: Shown once.
        text: Broken between its words where it is too long; a word is never broken.
        labels: Columns of the labels.
        width: Columns in all; None breaks nothing.
    """
    first, others = f"  {label:<{labels}} ", " " * (labels + 3)
    if width is None:
        return [(first + text).replace(_KEEPS, " ").rstrip()]
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return [line.replace(_KEEPS, " ").rstrip() for line in lines or [first.rstrip()]]


def values_text(values: Mapping[str, float], beside: Mapping[str, str] | None = None) -> str:
    """`name value` by name, two spaces between them; no line breaks between name and value.

    Args:
        values: By name.
        beside: What follows a value, by name.
    """
    beside = beside or {}
    parts = (f"{name} {number_text(value)}{beside.get(name, '')}" for name, value in values.items())
    return "  ".join(part.replace(" ", _KEEPS) for part in parts)


def beside_values(
    bounds: Mapping[str, float], details: Mapping[str, Mapping[str, float]] | None = None
) -> dict[str, str]:
    """What stands behind the value of a metric, by name: by how much it can be wrong, where a digit
    shows it, and what it counted."""
    beside = {name: f" (±{bound:.1g})" for name, bound in bounds.items() if bound >= 5e-6}
    for name, figures in (details or {}).items():
        told = ", ".join(f"{number_of(n)} {what.replace('_', ' ')}" for what, n in figures.items())
        beside[name] = beside.get(name, "") + f" ({told})"
    return beside


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of texts below each other: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
