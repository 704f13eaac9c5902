"""The pages of the view, and the lines of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.text import Text

from raymon.board.terminal.bands import BAND, band_lines
from raymon.board.terminal.chart import LEAST_ROWS, Scale
from raymon.board.terminal.frame import Frame
from raymon.board.terminal.header import header_lines
from raymon.board.terminal.paper import Paper
from raymon.board.terminal.stacks import table_lines
from raymon.board.terminal.tables import alert_lines, checkpoint_lines, rank_lines

OVERVIEW, CURVES, RANKS, ALERTS, CHECKPOINTS = PAGES = (
    "overview",
    "curves",
    "ranks",
    "alerts",
    "checkpoints",
)

_OVERVIEW_BANDS = 2
"""Bands of curves in an overview of any height."""

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
        return band_lines(frame, frame.curves[view.first :], view.scale, paper, rows)
    table = {RANKS: rank_lines, ALERTS: alert_lines, CHECKPOINTS: checkpoint_lines}[view.page]
    return table(frame, paper, rows, view.first)


def _overview(frame: Frame, view: View, paper: Paper, rows: int | None) -> list[Text]:
    """Returns the first curves, and the tables in what is left."""
    for_tables = None if rows is None else max(rows - max(rows // 2, LEAST_ROWS), 0)
    tables = table_lines(frame, paper, for_tables)
    for_curves = _OVERVIEW_BANDS * BAND if rows is None else rows - len(tables)
    return [*band_lines(frame, frame.curves, view.scale, paper, for_curves), *tables]


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
