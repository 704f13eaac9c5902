"""The pages of the view, and the lines of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.text import Text

from raymon.board.terminal.chart import LEAST_ROWS, Scale, chart_lines, span_of
from raymon.board.terminal.frame import Frame
from raymon.board.terminal.header import header_lines
from raymon.board.terminal.paper import Paper
from raymon.board.terminal.tables import alert_lines, checkpoint_lines, rank_lines

OVERVIEW, CURVES, RANKS, ALERTS, CHECKPOINTS = PAGES = (
    "overview",
    "curves",
    "ranks",
    "alerts",
    "checkpoints",
)

_BAND = 10
"""Rows of a chart where there is room for more than one below the other."""

_ACROSS = (76, 150, 240)
"""Columns from which on there are two, three and four curves side by side."""

_WIDE = 110
"""Columns from which on tables lie side by side."""

_MOST_ROWS = 12
"""Rows of a table in an overview of any height."""

_HELP = (
    "q, Ctrl-C    end",
    "tab, right   next page        left, shift-tab   page before        1 to 5   a page",
    "down, up     further rows or curves             home   the first",
    "l            logarithmic scale                  x      steps or time",
    "?            this help",
    "",
    "Curves are those of training, marks on them those of evaluations; below a curve",
    "restarts are marked. Stragglers have a !, and come first; so does the best checkpoint.",
)


@dataclass(frozen=True)
class View:
    """What a person chose to look at.

    Attributes:
        page: Which of `PAGES`.
        first: Rows or curves of the page that are left out before the first one.
        scale: How curves are drawn.
        has_help: Whether the keys are explained in place of the page.
        has_keys: Whether there are keys at all.
    """

    page: str = OVERVIEW
    first: int = 0
    scale: Scale = field(default_factory=Scale)
    has_help: bool = False
    has_keys: bool = False


def page_lines(frame: Frame, view: View, paper: Paper) -> list[Text]:
    """Returns the lines of a frame, each as wide as the paper, and as many as it has rows."""
    head = header_lines(frame, paper)
    if view.has_keys:
        head.append(_tabs(view, paper))
    elif paper.height is None or paper.height > len(head) + LEAST_ROWS:
        head.append(paper.fitted(Text()))
    foot = [_keys(paper)] if view.has_keys else []
    if paper.height is None:
        return [*head, *_body(frame, view, paper, None)]
    rows = max(paper.height - len(head) - len(foot), 0)
    body = _body(frame, view, paper, rows)[:rows]
    body += [paper.fitted(Text())] * (rows - len(body))
    return [*head, *body, *foot][: paper.height]


def most_left_out(frame: Frame, page: str) -> int:
    """Returns how many rows or curves of a page may be left out before the first one."""
    items: Sequence[object] = {
        CURVES: frame.curves,
        RANKS: frame.ranks,
        ALERTS: frame.alerts,
        CHECKPOINTS: frame.checkpoints,
    }.get(page, ())
    return max(len(items) - 1, 0)


def _body(frame: Frame, view: View, paper: Paper, rows: int | None) -> list[Text]:
    if view.has_help:
        return [paper.fitted(Text(line)) for line in _HELP]
    if view.page == OVERVIEW:
        return _overview(frame, view, paper, rows)
    if view.page == CURVES:
        return _charts(frame, view, paper, rows)
    table = {RANKS: rank_lines, ALERTS: alert_lines, CHECKPOINTS: checkpoint_lines}[view.page]
    return table(frame, paper, rows, view.first)


def _overview(frame: Frame, view: View, paper: Paper, rows: int | None) -> list[Text]:
    """Returns the first curves, and the tables in what is left."""
    for_tables = None if rows is None else max(rows - max(rows // 2, LEAST_ROWS), 0)
    tables = _tables(frame, paper, for_tables)
    charts = _charts(frame, view, paper, None if rows is None else rows - len(tables))
    return [*charts, *tables]


def _tables(frame: Frame, paper: Paper, rows: int | None) -> list[Text]:
    parts: list[Callable[[Frame, Paper, int | None], list[Text]]] = []
    if frame.ranks:
        parts.append(rank_lines)
    if frame.alerts:
        parts.append(alert_lines)
    if frame.checkpoints:
        parts.append(checkpoint_lines)
    if paper.width >= _WIDE and len(parts) > 1:
        width = (paper.width - 2) // 2
        halves = (Paper(width, None, paper.has_unicode), paper.width - 2 - width)
        right = Paper(halves[1], None, paper.has_unicode)
        most = _MOST_ROWS if rows is None else rows
        left_lines = _stacked(frame, parts[:1], halves[0], most)
        right_lines = _stacked(frame, parts[1:], right, most)
        return paper.beside([left_lines, right_lines], [width, halves[1]])
    return _stacked(frame, parts, paper, _MOST_ROWS * len(parts) if rows is None else rows)


def _stacked(frame: Frame, parts: Sequence[Callable[[Frame, Paper, int | None], list[Text]]],
             paper: Paper, rows: int) -> list[Text]:  # fmt: skip
    """Returns tables below each other; those that are short leave their rows to the others."""
    lines: list[Text] = []
    for place, part in enumerate(parts):
        share = (rows - len(lines)) // (len(parts) - place)
        if share >= 3:
            lines += part(frame, paper, share)
    return lines


def _charts(frame: Frame, view: View, paper: Paper, rows: int | None) -> list[Text]:
    """Returns the curves from the first one on that fit, in bands of several side by side."""
    if not frame.curves:
        return [paper.fitted(Text("no numbers are known yet", "dim"))]
    curves = frame.curves[view.first :] if view.page == CURVES else frame.curves
    across = sum(paper.width >= least for least in _ACROSS) + 1
    if rows is None:
        bands = 2 if view.page == OVERVIEW else -(-len(curves) // across)
        rows = bands * _BAND
    bands = max(min(rows // _BAND, -(-len(curves) // across)), 1)
    span = span_of(frame.curves, view.scale)
    widths = [(paper.width - 2 * (across - 1)) // across] * across
    widths[-1] += paper.width - 2 * (across - 1) - sum(widths)
    lines: list[Text] = []
    for band in range(bands):
        height = (rows - len(lines)) // (bands - band)
        if height < LEAST_ROWS:
            break
        charts = [
            chart_lines(
                curve,
                view.scale,
                Paper(width, None, paper.has_unicode),
                height,
                frame.restart_steps,
                span,
            )
            for curve, width in zip(curves[band * across :], widths, strict=False)
        ]
        lines += map(paper.fitted, paper.beside(charts, widths[: len(charts)]))
    return lines


def _tabs(view: View, paper: Paper) -> Text:
    line = Text()
    for number, page in enumerate(PAGES, 1):
        line.append(f" {number} {page} ", "reverse" if page == view.page else "dim")
    marks = [view.scale.is_log and "log", view.scale.by_time and "time"]
    line.append("  " + " ".join(mark for mark in marks if mark), "dim")
    if paper.width < line.cell_len:
        place = PAGES.index(view.page) + 1
        line = Text(f" {place} {view.page} ", "reverse").append(f" of {len(PAGES)}", "dim")
    return paper.fitted(line)


def _keys(paper: Paper) -> Text:
    text = "q end  tab next page  arrows move  l log  x steps/time  ? help"
    return paper.fitted(Text(text, "dim"))
