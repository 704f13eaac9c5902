"""The curves of a run: training and evaluation of a number together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from raymon.board.downsample import without_usual_gaps
from raymon.runs import Columns, Run

Numbers = NDArray[np.float64]

_NONE = np.zeros(0)
_TOTAL = "total_loss"


@dataclass(frozen=True)
class Points:
    """Values by step.

    Attributes:
        step: Steps `[N]`.
        time: Seconds since 1970, UTC, `[N]`; NaN where they are not known.
        value: Values `[N]`; NaN where there is none.
    """

    step: Numbers = field(default_factory=lambda: _NONE)
    time: Numbers = field(default_factory=lambda: _NONE)
    value: Numbers = field(default_factory=lambda: _NONE)

    @property
    def is_empty(self) -> bool:
        """Whether there is no value at all."""
        return not np.isfinite(self.value).any()

    @property
    def last(self) -> float:
        """The last value; NaN if there is none there."""
        return float(self.value[-1]) if len(self.value) else float("nan")


@dataclass(frozen=True)
class Curve:
    """A number of training, of evaluations, or of both.

    Attributes:
        name: Its name, as in log lines.
        train: Its values in training.
        evaluation: Its values in evaluations.
    """

    name: str
    train: Points
    evaluation: Points


def curves_of(run: Run) -> list[Curve]:
    """Returns the curves of a run that have a value, those first that say most."""
    series, scores = run.series, run.evaluation_series
    times = _times(series, scores)
    curves = [
        Curve(
            name,
            _points(series, column) if column else Points(),
            Points(scores.step, times, scores.column(scored)) if scored else Points(),
        )
        for name, column, scored in _names(series, scores)
    ]
    return [curve for curve in curves if not (curve.train.is_empty and curve.evaluation.is_empty)]


def _points(series: Columns, column: str) -> Points:
    values = series.column(column)
    points = Points(series.step, series.time, values)
    if 2 * np.count_nonzero(np.isfinite(values)) >= len(values):
        return points
    # What is measured in every tenth window alone has no gap of nine.
    kept = without_usual_gaps(np.where(np.isfinite(values), values, np.nan))
    return Points(points.step[kept], points.time[kept], values[kept])


def _names(series: Columns, scores: Columns) -> Iterator[tuple[str, str, str]]:
    """Yields the name of each curve, and its columns in windows and in evaluations."""
    train, scored = dict.fromkeys(series.names), dict.fromkeys(scores.names)
    losses = [name.removeprefix("losses.") for name in train if name.startswith("losses.")]
    metrics = [name.removeprefix("metrics.") for name in train if name.startswith("metrics.")]
    others = [name.removeprefix("metrics.") for name in scored if name.startswith("metrics.")]
    # The only loss is the total one, if it has no weight.
    total = series.column(f"losses.{_TOTAL}")
    alike = [
        name
        for name in losses
        if name != _TOTAL and np.array_equal(series.column(f"losses.{name}"), total, equal_nan=True)
    ]
    names = [_TOTAL, *metrics, *others, *losses]
    for name in dict.fromkeys(name for name in names if name not in alike):
        column = next((c for c in (f"losses.{name}", f"metrics.{name}") if c in train), "")
        yield name, column, f"metrics.{name}" if f"metrics.{name}" in scored else ""
    for name, column in _further(train):
        yield name, column, ""


def _further(columns: dict[str, None]) -> Iterator[tuple[str, str]]:
    for column in columns:
        if column.startswith("scalars."):
            yield column.removeprefix("scalars."), column
    yield "samples/s", "samples_per_second"
    for column in columns:
        if column.startswith("learning_rates."):
            yield column.replace("learning_rates.", "lr_g"), column
    for column in columns:
        if column.startswith("gradient_norms."):
            yield column.removeprefix("gradient_norms."), column
    for column in ("dense_gradient_norm", "loss_scale", "device_utilization"):
        yield column, column
    for column in ("host_bytes", "device_bytes"):
        yield column, column


def _times(series: Columns, scores: Columns) -> Numbers:
    """Returns the times of evaluations `[N]`; where they are not known, those of their steps."""
    times = scores.time.copy()
    known = np.isfinite(series.time)
    if len(times) and known.any():
        unknown = ~np.isfinite(times)
        at = np.interp(scores.step[unknown], series.step[known], series.time[known])
        times[unknown] = at
    return times
