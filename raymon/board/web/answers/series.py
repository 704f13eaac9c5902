"""`/api/runs/{id}/series`: curves, with so many points as a screen shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raymon.board.downsample import downsample, without_usual_gaps
from raymon.board.smoothing import smoothed
from raymon.board.web.answers.numbers import listed
from raymon.board.web.query import Query
from raymon.runs import Columns, Run

EVALUATION = "eval:"
"""What comes before the name of a series of evaluations."""

_MOST_NAMES, _MOST_POINTS = 200, 20_000

_NO_SERIES = frozenset({"global_step", "time", "first_step"})

_BOUNDS = ("metrics.", "metric_bounds.")

_Array = NDArray[np.float64]


def series_names(columns: Columns) -> list[str]:
    """Returns the names of the series of windows or of evaluations."""
    return [name for name in columns.names if name not in _NO_SERIES]


def series(run: Run, query: Query) -> dict[str, Any]:
    """Returns the curves that are asked for by `names`.

    Other parameters are `x` ("step" or "time"), `from` and `to` on that axis, `points`, and
    `smooth`, the weight of a debiased exponential mean over all windows. Names that the run does
    not have are left out. Of a large run there are some windows at first, until `is_whole`.
    """
    axis, points = query.choice("x", ("step", "time")), query.whole("points", 1000, 4, _MOST_POINTS)
    first, last = query.number("from"), query.number("to")
    weight = query.share("smooth")
    found, bounds = dict[str, Any](), dict[str, Any]()
    for name in query.names("names", _MOST_NAMES):
        columns, column = _of(run, name)
        if column not in columns.names:
            continue
        curve = _Curve(columns, column, axis, weight)
        shown = curve.shown(first, last, points)
        found[name] = curve.to_json(shown)
        bound = column.replace(*_BOUNDS, 1)
        if bound != column and bound in columns.names:
            bounds[name] = listed(columns.column(bound)[curve.rows[shown]])
    return {
        "x": axis,
        "series": found,
        "bounds": bounds,
        "windows": len(run.series),
        "is_whole": run.is_whole,
    }


def _of(run: Run, name: str) -> tuple[Columns, str]:
    """Returns the columns that a series is in, and its name there."""
    if name.startswith(EVALUATION):
        return run.evaluation_series, name.removeprefix(EVALUATION)
    return run.series, name


class _Curve:
    """A curve with all of its points.

    Attributes:
        rows: Rows of the columns that have a place on the axis, in its order.
    """

    def __init__(self, columns: Columns, name: str, axis: str, weight: float) -> None:
        self._step, self._time = columns.step, columns.time
        places = self._step if axis == "step" else self._time
        values = columns.column(name)
        rows = np.flatnonzero(np.isfinite(places))
        if (np.diff(places[rows]) < 0).any():
            rows = rows[np.argsort(places[rows], kind="stable")]
        self.rows = rows[without_usual_gaps(values[rows])]
        self._x: _Array = places[self.rows]
        self._y: _Array = values[self.rows]
        self._smoothed = smoothed(self._y, weight) if weight > 0 else None

    def shown(self, first: float | None, last: float | None, points: int) -> NDArray[np.int64]:
        """Returns the places in `rows` that are shown, with a neighbour on each side of a part."""
        begin, end = 0, len(self._x)
        if first is not None:
            begin = max(0, int(np.searchsorted(self._x, first)) - 1)
        if last is not None:
            end = min(end, int(np.searchsorted(self._x, last, side="right")) + 1)
        x, y = self._x[begin:end], self._y[begin:end]
        kept = downsample(x, y, points)
        if self._smoothed is not None and len(kept) < len(x):
            # The smoothed curve goes through its own peaks.
            kept = np.union1d(kept, downsample(x, self._smoothed[begin:end], points))
        return begin + kept

    def to_json(self, shown: NDArray[np.int64]) -> Mapping[str, Sequence[float | None]]:
        rows = self.rows[shown]
        found = {
            "x": listed(self._x[shown]),
            "y": listed(self._y[shown]),
            "step": listed(self._step[rows]),
            "time": listed(self._time[rows]),
        }
        if self._smoothed is not None:
            found["smoothed"] = listed(self._smoothed[shown])
        return found
