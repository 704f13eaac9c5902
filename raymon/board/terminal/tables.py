"""The ranks, alerts and checkpoints of a run, as lines."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TypeVar

from rich.text import Text

from raymon.board.terminal.frame import Frame
from raymon.board.terminal.paper import Paper
from raymon.number_text import NO_VALUE, bytes_text, duration_text, number_text, rate_text

_DAY_S = 86_400
_LEAST_TEXT = 4

T = TypeVar("T")


def rank_lines(frame: Frame, paper: Paper, rows: int | None = None, first: int = 0) -> list[Text]:
    """Returns the table of ranks, stragglers first.

    Args:
        frame: What is shown.
        paper: What it is drawn on.
        rows: Lines at most; None for all.
        first: Ranks that are left out before the first one.
    """
    names = ["rank", "step", "lag s/step", "own s/step", "memory", "doing", "heard", "host"]
    cells = [
        [
            f"{row.rank}{' !' if row.is_straggler else '  '}",
            f"{row.step:,.0f}" if math.isfinite(row.step) else NO_VALUE,
            _lag(row.lag_s_per_step),
            rate_text(row.step_s),
            bytes_text(row.host_bytes),
            (f"{row.phase} " + duration_text(row.phase_s)) if row.phase else NO_VALUE,
            f"{duration_text(row.heard_s)} ago" if math.isfinite(row.heard_s) else NO_VALUE,
            row.host or NO_VALUE,
        ]
        for row in _part(frame.ranks, rows, first)
    ]
    styles = ["bold red" if row.is_straggler else "" for row in _part(frame.ranks, rows, first)]
    title = f"ranks {len(frame.ranks):,}"
    return _table(title, names, cells, styles, paper, len(frame.ranks), first, left=(5, 6, 7))


def alert_lines(
    frame: Frame, paper: Paper, rows: int | None = None, first: int = 0, now: float | None = None
) -> list[Text]:
    """Returns the alerts, the newest first; arguments are those of `rank_lines`, and the time."""
    now = time.time() if now is None else now
    on = {id(alert) for alert in frame.on}
    newest = list(reversed(frame.alerts))
    cells, styles = [], []
    for alert in _part(newest, rows, first):
        state = "over" if alert.is_over else "on" if id(alert) in on else ""
        cells.append([_clock(alert.time, now), f"{alert.step:,}", state, alert.finding.text])
        styles.append("bold red" if state == "on" else "")
    title = f"alerts {len(frame.alerts):,}" + (f", {len(on)} on" if on else "")
    names = ["time", "step", "", "what"]
    return _table(title, names, cells, styles, paper, len(newest), first, left=(0, 2, 3))


def checkpoint_lines(
    frame: Frame, paper: Paper, rows: int | None = None, first: int = 0, now: float | None = None
) -> list[Text]:
    """Returns the checkpoints, the best one first and then the newest; as `alert_lines`."""
    now = time.time() if now is None else now
    star = paper.pick("★", "*")
    newest = sorted(frame.checkpoints, key=lambda each: (not each.is_best, -each.step))
    metrics = list(dict.fromkeys(name for each in newest for name in each.metrics))
    cells, styles = [], []
    for each in _part(newest, rows, first):
        cells.append(
            [
                f"{star if each.is_best else ' '} {each.step:,}",
                *(_score(each.metrics.get(name)) for name in metrics),
                bytes_text(math.nan if each.size_bytes is None else each.size_bytes),
                NO_VALUE if each.time is None else _clock(each.time, now),
                "" if each.is_complete else "not complete",
            ]
        )
        styles.append("bold green" if each.is_best else "" if each.is_complete else "dim")
    title = f"checkpoints {len(newest):,}"
    names = ["step", *metrics, "size", "time", ""]
    return _table(title, names, cells, styles, paper, len(newest), first, left=(len(names) - 1,))


def _table(title: str, names: Sequence[str], cells: Sequence[Sequence[str]],
           styles: Sequence[str], paper: Paper, count: int, first: int,
           left: Sequence[int]) -> list[Text]:  # fmt: skip
    """Returns a title, names of columns, and rows; columns of no value are left out."""
    if 0 < len(cells) < count:
        title += f" ({first + 1:,} to {first + len(cells):,})"
    lines = [paper.text(title, "bold")]
    if cells:
        texts = [[paper.text(cell) for cell in row] for row in [names, *cells]]
        shown = [i for i in range(len(names)) if any(row[i] not in ("", NO_VALUE) for row in cells)]
        widths = [max(row[i].cell_len for row in texts) for i in range(len(names))]
        shown = _fitting(shown, widths, paper.width, left)
        for row, style in zip(texts, ["dim", *styles], strict=True):
            line = Text(style=style)
            for i in shown:
                space = " " * (widths[i] - row[i].cell_len)
                line.append_text(row[i] if i in left else Text(space))
                line.append_text(Text(space) if i in left else row[i])
                line.append("  ")
            line.rstrip()
            lines.append(line)
    return [paper.fitted(line) for line in lines]


def _fitting(
    shown: Sequence[int], widths: Sequence[int], width: int, left: Sequence[int]
) -> list[int]:
    """Returns the columns that fit: a number is whole or not there, a text may be cut."""
    kept: list[int] = []
    room = width
    for column in shown:
        if not kept or widths[column] <= room or (column in left and room >= _LEAST_TEXT):
            kept.append(column)
            room -= widths[column] + 2
    return kept


def _part(items: Sequence[T], rows: int | None, first: int) -> Sequence[T]:
    """Returns those that have a place below the title and the names of the columns."""
    return items[first:] if rows is None else items[first : first + max(rows - 2, 0)]


def _lag(seconds: float) -> str:
    return f"{seconds:+.3f}" if math.isfinite(seconds) else NO_VALUE


def _score(value: object) -> str:
    return number_text(float(value)) if isinstance(value, int | float) else NO_VALUE


def _clock(seconds: float, now: float) -> str:
    shown = "%H:%M:%S" if abs(now - seconds) < _DAY_S else "%Y-%m-%d %H:%M"
    try:
        return time.strftime(shown, time.localtime(seconds))
    except (ValueError, OverflowError, OSError):
        return NO_VALUE
