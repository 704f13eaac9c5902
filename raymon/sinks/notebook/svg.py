"""A curve as an SVG picture, which needs no script and fits light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from raymon.number_text import number_text

Numbers = NDArray[np.float64]

_TRAIN, _EVALUATION = "#0b84c6", "#e08a00"
_WIDTH, _HEIGHT = 320, 130
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 8, 20, 18

_LONG_NUMBER = 1000.0


@dataclass(frozen=True)
class Line:
    """Values by step.

    Attributes:
        steps: Steps `[N]`, ascending.
        values: Values `[N]`; NaN is a gap.
    """

    steps: ArrayLike = field(default_factory=tuple)
    values: ArrayLike = field(default_factory=tuple)

    def known(self) -> tuple[Numbers, Numbers]:
        """Returns steps and values as float64, infinities as NaN."""
        values = np.asarray(self.values, np.float64)
        return np.asarray(self.steps, np.float64), np.where(np.isfinite(values), values, np.nan)


def chart_svg(name: str, train: Line, evaluation: Line) -> str:
    """Returns the picture of a number: training as a curve, evaluations as points.

    Args:
        name: Name of the number.
        train: Its values in training.
        evaluation: Its values in evaluations.
    """
    (x, y), (x_scored, y_scored) = train.known(), evaluation.known()
    first, last = _range(np.concatenate([x, x_scored]))
    low, high = _range(np.concatenate([y, y_scored]))
    title = f'<tspan font-weight="bold">{escape(name)}</tspan>' + "".join(
        f' <tspan fill="{color}">{word}{escape(number_text(float(values[-1])))}</tspan>'
        for color, word, values in ((_TRAIN, "", y), (_EVALUATION, "eval ", y_scored))
        if len(values)
    )
    parts = [_text(_LEFT, 13, title)]
    if math.isfinite(low):
        place = _Place(first, last, low, high)
        parts += [
            _text(_LEFT - 4, _TOP + 9, _short(high), "end"),
            _text(_LEFT - 4, _HEIGHT - _BOTTOM, _short(low), "end"),
            _text(_LEFT, _HEIGHT - 4, f"{first:,.0f}"),
            _text(_WIDTH - _RIGHT, _HEIGHT - 4, f"{last:,.0f}", "end"),
            f'<path d="{_path(*thinned(x, y, _WIDTH), place)}" fill="none" stroke="{_TRAIN}" '
            'stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"/>',
            *(
                f'<circle cx="{place.x(step):.1f}" cy="{place.y(value):.1f}" r="2.5" '
                f'fill="{_EVALUATION}"/>'
                for step, value in zip(*thinned(x_scored, y_scored, _WIDTH // 2), strict=True)
                if math.isfinite(value)
            ),
        ]
    edge = f"M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{escape(name)}" '
        'font-family="sans-serif" font-size="11" fill="currentColor">'
        f'<path d="{edge}" fill="none" stroke="currentColor" stroke-opacity="0.4"/>'
        + "".join(parts)
        + "</svg>"
    )


def thinned(x: Numbers, y: Numbers, columns: int) -> tuple[Numbers, Numbers]:
    """Returns a curve of at most about four points a column, which is drawn as the whole one is.

    The first, the least, the largest and the last value of each column are kept, and gaps that
    fill a column.

    Args:
        x: Steps `[N]`, ascending.
        y: Values `[N]`; NaN is a gap.
        columns: Columns of the picture.
    """
    if len(x) <= 4 * columns:
        return x, y
    edges = np.searchsorted(x, np.linspace(x[0], x[-1], columns + 1)[1:-1])
    kept = set[int]()
    for start, end in zip([0, *edges.tolist()], [*edges.tolist(), len(x)], strict=True):
        known = start + np.flatnonzero(~np.isnan(y[start:end]))
        if len(known):
            values = y[known]
            kept |= {int(known[0]), int(known[-1])}
            kept |= {int(known[values.argmin()]), int(known[values.argmax()])}
        elif end > start:
            kept.add(start)
    places = sorted(kept)
    return x[places], y[places]


@dataclass(frozen=True)
class _Place:
    first: float
    last: float
    low: float
    high: float

    def x(self, step: float) -> float:
        width = _WIDTH - _LEFT - _RIGHT
        return _LEFT + width * _share(step, self.first, self.last)

    def y(self, value: float) -> float:
        height = _HEIGHT - _TOP - _BOTTOM
        return _TOP + height * (1 - _share(value, self.low, self.high))


def _path(x: Sequence[float] | Numbers, y: Sequence[float] | Numbers, place: _Place) -> str:
    parts, draws = [], False
    for step, value in zip(x, y, strict=True):
        if math.isfinite(value):
            parts.append(f"{'L' if draws else 'M'}{place.x(step):.1f} {place.y(value):.1f}")
            if not draws:
                # So that a single point is seen.
                parts.append("h0")
        draws = math.isfinite(value)
    return "".join(parts)


def _text(x: float, y: float, content: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{content}</text>'


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _range(values: Numbers) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) >= _LONG_NUMBER else f"{value:.4g}"
