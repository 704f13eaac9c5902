"""Curves side by side, in bands below each other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from raymon.board.terminal.chart import LEAST_ROWS, Scale, chart_lines, span_of
from raymon.board.terminal.curves import Curve
from raymon.board.terminal.frame import Frame
from raymon.board.terminal.paper import Paper

BAND = 10
"""Rows of a band where there is room for more than one."""

_ACROSS = (76, 150, 240)
"""Columns from which on there are two, three and four curves side by side."""


def band_lines(
    frame: Frame, curves: Sequence[Curve], scale: Scale, paper: Paper, rows: int | None
) -> list[Text]:
    """Returns as many curves as fit, on one horizontal axis.

    Args:
        frame: What is shown.
        curves: Its curves, from the first one that is wanted.
        scale: How they are drawn.
        paper: What they are drawn on.
        rows: Lines at most; None for all curves.
    """
    if not frame.curves:
        return [paper.fitted(Text("no numbers are known yet", "dim"))]
    across = sum(paper.width >= least for least in _ACROSS) + 1
    wanted = max(-(-len(curves) // across), 1)
    rows = wanted * BAND if rows is None else rows
    bands = max(min(rows // BAND, wanted), 1)
    span = span_of(frame.curves, scale)
    widths = _widths(paper.width, across)
    lines: list[Text] = []
    for band in range(bands):
        height = (rows - len(lines)) // (bands - band)
        if height < LEAST_ROWS:
            break
        charts = [
            chart_lines(curve, scale, paper.narrowed(width), height, frame.restart_steps, span)
            for curve, width in zip(curves[band * across :], widths, strict=False)
        ]
        lines += map(paper.fitted, paper.beside(charts, widths[: len(charts)]))
    return lines


def _widths(width: int, across: int) -> list[int]:
    """Returns the columns of curves side by side, with two columns between them."""
    all_columns = width - 2 * (across - 1)
    each = all_columns // across
    return [each] * (across - 1) + [all_columns - each * (across - 1)]
