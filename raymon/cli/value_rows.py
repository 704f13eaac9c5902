"""Rows of names and values that fit a terminal, without breaking names."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence

from raymon.number_text import number_of, number_text

_NO_BREAK = "\N{NO-BREAK SPACE}"
"""Character in place of a space at which no line may break."""

_LEAST = 40


def output_width() -> int | None:
    """Returns the width of the terminal in columns; None if standard output is no terminal."""
    try:
        is_terminal = sys.stdout.isatty()
    except (AttributeError, ValueError, OSError):
        return None
    return max(shutil.get_terminal_size().columns, _LEAST) if is_terminal else None


def row_lines(label: str, text: str, labels: int, width: int | None) -> list[str]:
    """Returns the lines of a row: its label, and its text.

    Args:
        label: Label in the first line.
        text: Text, wrapped between words if it is too long; a word is never broken.
        labels: Columns of the labels.
        width: Columns in all; None for no wrapping.
    """
    first, others = f"  {label:<{labels}} ", " " * (labels + 3)
    if width is None:
        return [(first + text).replace(_NO_BREAK, " ").rstrip()]
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return [line.replace(_NO_BREAK, " ").rstrip() for line in lines or [first.rstrip()]]


def values_text(values: Mapping[str, float], notes: Mapping[str, str] | None = None) -> str:
    """Returns `name value` for each value, two spaces apart; no line breaks within a pair.

    Args:
        values: Values by name.
        notes: Texts that follow a value, by name.
    """
    notes = notes or {}
    parts = (f"{name} {number_text(value)}{notes.get(name, '')}" for name, value in values.items())
    return "  ".join(part.replace(" ", _NO_BREAK) for part in parts)


def value_notes(
    bounds: Mapping[str, float], details: Mapping[str, Mapping[str, float]] | None = None
) -> dict[str, str]:
    """Returns the text that follows the value of a metric, by name.

    It has the largest error of the value, if a digit shows it, its confidence interval, and the
    further counts of the metric.
    """
    notes = {name: f" (±{bound:.1g})" for name, bound in bounds.items() if bound >= 5e-6}
    for name, figures in (details or {}).items():
        parts = [
            f"{number_of(n)} {what.replace('_', ' ')}"
            for what, n in figures.items()
            if what not in ("ci_low", "ci_high")
        ]
        if "ci_low" in figures and "ci_high" in figures:
            ends = (number_text(figures[end]) for end in ("ci_low", "ci_high"))
            parts.insert(0, f"95 %: {' to '.join(ends)}")
        notes[name] = notes.get(name, "") + f" ({', '.join(parts)})"
    return notes


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns aligned lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
