"""A curve with its title and axes, as lines of characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from raymon.board.terminal.curves import Curve, Points
from raymon.board.terminal.dots import ASCII_CELL, CELL, curve_dots, dot_lines
from raymon.board.terminal.paper import Paper
from raymon.number_text import count_text, duration_text, number_text

Numbers = NDArray[np.float64]

LEAST_ROWS = 5
"""Rows of a chart that still says something: title, three rows of the curve, axis."""

TRAIN, EVALUATION = "cyan", "bold yellow"
"""Styles of the curves."""

_LONG_NUMBER = 1000.0


@dataclass(frozen=True)
class Scale:
    """How curves are drawn.

    Attributes:
        is_log: Whether values are drawn by their logarithm; those that have none are gaps.
        by_time: Whether the horizontal axis is time since the first window, not steps.
    """

    is_log: bool = False
    by_time: bool = False

    def x(self, points: Points) -> Numbers:
        """Returns the places of points `[N]` on the horizontal axis."""
        return points.time if self.by_time else points.step

    def y(self, values: Numbers) -> Numbers:
        """Returns the places of values `[N]` on the vertical axis; NaN for those that have none."""
        if not self.is_log:
            return np.where(np.isfinite(values), values, np.nan)
        return np.log10(values, out=np.full(len(values), np.nan), where=values > 0)


def chart_lines(
    curve: Curve,
    scale: Scale,
    paper: Paper,
    rows: int,
    restarts: Sequence[float] = (),
    span: tuple[float, float] | None = None,
) -> list[Text]:
    """Returns a chart of exactly `rows` lines, each as wide as the paper.

    Training is a curve, evaluations are marks on it. Without a value there is a gap.

    Args:
        curve: What is drawn.
        scale: How it is drawn.
        paper: What it is drawn on.
        rows: Lines, at least `LEAST_ROWS`.
        restarts: Steps at which workers were started again, marked on the axis.
        span: Ends of the horizontal axis; None for those of the curve.
    """
    y_train, y_scored = scale.y(curve.train.value), scale.y(curve.evaluation.value)
    x_train, x_scored = scale.x(curve.train), scale.x(curve.evaluation)
    low, high = _range(np.concatenate([y_train, y_scored]))
    first, last = span or _range(np.concatenate([x_train, x_scored]))
    title = _title(curve, scale, paper)
    labels = [_label(value, scale) for value in (high, low)]
    gutter = max(map(len, labels))
    width = paper.width - gutter - 1
    if width < 4 or not math.isfinite(low) or not math.isfinite(first):
        return [title, *[paper.fitted(Text())] * (rows - 1)]
    height = rows - 2
    tall, wide = CELL if paper.has_unicode else ASCII_CELL
    dots = curve_dots(
        _placed(x_train, first, last), _placed(y_train, low, high), width * wide, height * tall
    )
    marks = _marks(_placed(x_scored, first, last), _placed(y_scored, low, high), width, height)
    lines = [title]
    for row, characters in enumerate(dot_lines(dots, has_unicode=paper.has_unicode)):
        label = labels[0] if row == 0 else labels[1] if row == height - 1 else ""
        edge = paper.pick("┤" if label else "│", "|")
        line = Text(f"{label:>{gutter}}{edge}", "dim")
        _append(line, characters, {column for at, column in marks if at == row}, paper)
        lines.append(paper.fitted(line))
    lines.append(_axis(first, last, scale, paper, gutter, _ticks(curve, scale, restarts)))
    return lines


def span_of(curves: Sequence[Curve], scale: Scale) -> tuple[float, float]:
    """Returns the ends of a horizontal axis for several curves; NaN if there are none."""
    ends = [_range(scale.x(points)) for each in curves for points in (each.train, each.evaluation)]
    return _range(np.array(ends).reshape(-1))


def _title(curve: Curve, scale: Scale, paper: Paper) -> Text:
    line = paper.text(curve.name, "bold")
    text = count_text if abs(curve.train.last) >= _LONG_NUMBER else number_text
    if len(curve.train.value):
        line.append(f" {text(curve.train.last)}", TRAIN)
    if len(curve.evaluation.value):
        mark = paper.pick("●", "o")
        line.append(f" {mark} eval {number_text(curve.evaluation.last)}", EVALUATION)
    if scale.is_log:
        line.append(" log", "dim")
    return paper.fitted(line)


def _label(value: float, scale: Scale) -> str:
    exact = 10**value if scale.is_log else value
    if abs(exact) >= _LONG_NUMBER:
        power = min(int(math.log10(abs(exact)) // 3), 4)
        return f"{exact / 1000**power:.3g}{' kMGT'[power]}"
    return f"{exact:.4g}"


def _axis(
    first: float, last: float, scale: Scale, paper: Paper, gutter: int, ticks: Numbers
) -> Text:
    width = paper.width - gutter - 1
    begin = duration_text(0) if scale.by_time else f"{first:,.0f}"
    end = duration_text(last - first) if scale.by_time else f"{last:,.0f}"
    line = [paper.pick("─", "-")] * width
    for place in _placed(ticks, first, last):
        if 0 <= place <= 1:
            line[round(place * (width - 1))] = paper.pick("▲", "^")
    axis = "".join(line)
    if len(begin) + len(end) + 4 <= width:
        axis = begin + " " + axis[len(begin) + 1 : width - len(end) - 1] + " " + end
    return paper.fitted(Text(" " * gutter + paper.pick("└", "+") + axis, "dim"))


def _ticks(curve: Curve, scale: Scale, restarts: Sequence[float]) -> Numbers:
    steps = np.array(restarts, np.float64)
    points = curve.train
    if not scale.by_time or len(points.step) == 0:
        return steps
    return np.interp(steps, points.step, points.time)


def _append(line: Text, characters: str, marks: set[int], paper: Paper) -> None:
    mark = paper.pick("●", "o")
    cells = ((mark if i in marks else c, i in marks) for i, c in enumerate(characters))
    for is_mark, group in groupby(cells, key=lambda cell: cell[1]):
        line.append("".join(c for c, _ in group), EVALUATION if is_mark else TRAIN)


def _marks(x: Numbers, y: Numbers, width: int, height: int) -> set[tuple[int, int]]:
    known = np.isfinite(x) & np.isfinite(y)
    rows = np.minimum(((1 - y[known]) * height).astype(int), height - 1)
    columns = np.minimum((x[known] * width).astype(int), width - 1)
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


def _range(values: Numbers) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)


def _placed(values: Numbers, low: float, high: float) -> Numbers:
    """Returns values as shares of a range; those of an empty range in its middle."""
    if high > low:
        return (values - low) / (high - low)
    return np.where(np.isfinite(values), 0.5, np.nan)
