"""The tables of a run together: below each other, or side by side where there is room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from raymon.board.terminal.frame import Frame
from raymon.board.terminal.paper import Paper
from raymon.board.terminal.tables import alert_lines, checkpoint_lines, rank_lines

Table = Callable[[Frame, Paper, int | None], list[Text]]

_WIDE = 110
"""Columns from which on tables lie side by side."""

_MOST_ROWS = 12
"""Rows of a table where there is room for any number of them."""

_LEAST_ROWS = 3


def table_lines(frame: Frame, paper: Paper, rows: int | None) -> list[Text]:
    """Returns ranks, alerts and checkpoints, as far as there are any.

    Args:
        frame: What is shown.
        paper: What it is drawn on.
        rows: Lines at most; None for as many as are useful.
    """
    tables = [
        table
        for table, items in (
            (rank_lines, frame.ranks),
            (alert_lines, frame.alerts),
            (checkpoint_lines, frame.checkpoints),
        )
        if items
    ]
    if paper.width < _WIDE or len(tables) < 2:
        return _stacked(frame, tables, paper, _MOST_ROWS * len(tables) if rows is None else rows)
    left = (paper.width - 2) // 2
    widths = [left, paper.width - 2 - left]
    blocks = [
        _stacked(frame, some, paper.narrowed(width), _MOST_ROWS if rows is None else rows)
        for some, width in zip((tables[:1], tables[1:]), widths, strict=True)
    ]
    return paper.beside(blocks, widths)


def _stacked(frame: Frame, tables: Sequence[Table], paper: Paper, rows: int) -> list[Text]:
    """Returns tables below each other; those that are short leave their rows to the others."""
    lines: list[Text] = []
    for place, table in enumerate(tables):
        share = (rows - len(lines)) // (len(tables) - place)
        if share >= _LEAST_ROWS:
            lines += table(frame, paper, share)
    return lines
