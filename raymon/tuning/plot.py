"""The picture of a sweep: the metric of all trials by step, and by the value of each parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from raymon.number_text import number_text
from raymon.tuning.parameters import Parameter, text_of
from raymon.tuning.results import PRUNED, Curve, SweepResult, TrialResult
from raymon.tuning.table import short_names, values_text

_WIDTH, _CURVES, _SCATTER = 900, 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 34, 40
_COLUMNS = 3
_TICKS = 5
_BEST, _OTHER, _PRUNED = "#e08a00", "#0b84c6", "#8a8f98"
_MOST_POINTS = 600


@dataclass(frozen=True)
class _Axis:
    """A range of numbers on a length of the picture; of logarithms if `log`."""

    low: float
    high: float
    begin: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        at = math.log(value) if self.log else value
        share = (at - low) / (high - low) if high > low else 0.5
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        if not self.high > self.low:
            return [self.low]
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        shares = [low + (high - low) * index / (_TICKS - 1) for index in range(_TICKS)]
        return [math.exp(each) if self.log else each for each in shares]


def sweep_svg(result: SweepResult, parameters: Sequence[Parameter]) -> str:
    """Returns the picture, which needs no script.

    Args:
        result: The sweep, with the curves of its trials.
        parameters: What was varied.
    """
    rows = math.ceil(len(parameters) / _COLUMNS)
    height = _CURVES + rows * _SCATTER
    scored = [trial for trial in result.ranked() if trial.best_value is not None]
    parts = [_curves(result, scored)]
    names = short_names([parameter.path for parameter in parameters])
    for index, parameter in enumerate(parameters):
        left = (index % _COLUMNS) * (_WIDTH // _COLUMNS)
        top = _CURVES + (index // _COLUMNS) * _SCATTER
        parts.append(
            f'<g transform="translate({left} {top})">'
            f"{_scatter(result, scored, parameter, names[parameter.path])}</g>"
        )
    title = f"{result.metric} of {len(result.trials)} trials"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(title)}" font-family="sans-serif" '
        f'font-size="12" fill="currentColor"><title>{escape(title)}</title>{"".join(parts)}</svg>\n'
    )


def _curves(result: SweepResult, scored: Sequence[TrialResult]) -> str:
    drawn = [(trial, _thin(trial.curve)) for trial in scored if trial.curve is not None]
    title = f"{result.metric} by step"
    if result.best is not None:
        best = result.best
        title += f"; best: {best.trial}, {values_text(best.values)}"
    parts = [_text(_LEFT, 20, escape(title), bold=True)]
    if not drawn:
        return "".join([*parts, _text(_LEFT, 60, "no trial has a value of the metric")])
    values = np.concatenate([curve.values for _, curve in drawn])
    steps = np.concatenate([curve.steps for _, curve in drawn])
    across = _Axis(0.0, float(steps.max()), _LEFT, _WIDTH - _RIGHT)
    up = _Axis(float(values.min()), float(values.max()), _CURVES - _BOTTOM, _TOP)
    parts += [_frame(across, up, "step")]
    # The best last, above all others.
    for place, (trial, curve) in reversed(list(enumerate(drawn))):
        color, width = _look(trial, is_best=place == 0)
        points = list(zip(curve.steps, curve.values, strict=True))
        path = "".join(
            f"{'L' if i else 'M'}{across.place(x):.1f} {up.place(y):.1f}"
            for i, (x, y) in enumerate(points)
        )
        last_x, last_y = across.place(points[-1][0]), up.place(points[-1][1])
        said = f"{trial.trial}: {values_text(trial.values)}; {_value(trial)}, {trial.status}"
        parts.append(
            f'<g stroke="{color}"><title>{escape(said)}</title><path d="{path}" fill="none" '
            f'stroke-width="{width}" stroke-linejoin="round"/>'
            f'<circle cx="{last_x:.1f}" cy="{last_y:.1f}" r="2.5" fill="{color}"/></g>'
        )
    return "".join(parts)


def _scatter(
    result: SweepResult, scored: Sequence[TrialResult], parameter: Parameter, name: str
) -> str:
    """Returns the best values of the metric by the values of a parameter."""
    width = _WIDTH // _COLUMNS
    parts = [_text(_LEFT, 20, escape(f"best {result.metric} by {name}"), bold=True)]
    points = [trial for trial in scored if parameter.path in trial.values]
    if not points:
        return "".join(parts)
    found = [float(trial.best_value or 0.0) for trial in points]
    up = _Axis(min(found), max(found), _SCATTER - _BOTTOM, _TOP)
    if parameter.values:
        across = _Axis(0.0, len(parameter.values) - 1.0, _LEFT + 20, width - 40)
        labels = dict(enumerate(parameter.values))
        places = [across.place(_index(trial, parameter)) for trial in points]
        marks = [(across.place(float(i)), text) for i, text in labels.items()]
        parts.append(_frame(across, up, "", marks))
    else:
        log = parameter.kind == "loguniform"
        across = _Axis(parameter.low, parameter.high, _LEFT + 6, width - 20, log)
        places = [across.place(float(trial.values[parameter.path])) for trial in points]
        few = [across.low, across.high]
        parts.append(_frame(across, up, "", [(across.place(v), f"{v:.4g}") for v in few]))
    for index in reversed(range(len(points))):
        trial = points[index]
        color, _ = _look(trial, is_best=index == 0)
        said = f"{trial.trial}: {text_of(trial.values[parameter.path])}; {_value(trial)}"
        parts.append(
            f'<circle cx="{places[index]:.1f}" cy="{up.place(found[index]):.1f}" '
            f'r="{5 if index == 0 else 3.5}" fill="{color}" fill-opacity="0.8">'
            f"<title>{escape(said)}</title></circle>"
        )
    return "".join(parts)


def _frame(
    across: _Axis, up: _Axis, label: str, marks: Sequence[tuple[float, str]] | None = None
) -> str:
    if marks is None:
        marks = [(across.place(value), f"{value:,.0f}") for value in across.ticks()]
    begin, end = min(across.begin, _LEFT), across.end
    parts = [
        f'<path d="M{begin} {up.end}V{up.begin}H{end}" fill="none" stroke="currentColor" '
        'stroke-opacity="0.4"/>'
    ]
    for value in up.ticks():
        y = up.place(value)
        parts.append(
            f'<path d="M{begin} {y:.1f}H{end}" stroke="currentColor" stroke-opacity="0.1"/>'
        )
        parts.append(_text(begin - 6, y + 4, number_text(value), "end"))
    parts += [_text(x, up.begin + 16, escape(text), "middle") for x, text in marks]
    if label:
        parts.append(_text((begin + end) / 2, up.begin + 32, label, "middle"))
    return "".join(parts)


def _index(trial: TrialResult, parameter: Parameter) -> float:
    value = text_of(trial.values[parameter.path])
    return float(parameter.values.index(value)) if value in parameter.values else 0.0


def _look(trial: TrialResult, *, is_best: bool) -> tuple[str, float]:
    if is_best:
        return _BEST, 2.5
    return (_PRUNED, 1.0) if trial.status == PRUNED else (_OTHER, 1.2)


def _value(trial: TrialResult) -> str:
    return "no value" if trial.best_value is None else number_text(trial.best_value)


def _thin(curve: Curve) -> Curve:
    if len(curve.steps) <= _MOST_POINTS:
        return curve
    rows = np.unique(np.linspace(0, len(curve.steps) - 1, _MOST_POINTS).astype(np.int64))
    return Curve(curve.steps[rows], curve.values[rows])


def _text(x: float, y: float, content: str, anchor: str = "start", *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{content}</text>'
