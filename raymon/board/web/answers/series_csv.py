"""`/api/runs/{id}/series.csv`: all numbers of some series, exactly."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import numpy as np

from raymon.board.web.answers.series import EVALUATION
from raymon.board.web.query import Query, QueryError
from raymon.runs import Columns, Run

_MOST_NAMES = 200


def series_csv(run: Run, query: Query) -> str:
    """Returns a table with a row for each window, and each evaluation if `names` has any of those.

    Its columns are `global_step`, `time` and those that are asked for; a cell without a value is
    empty.
    """
    names = query.names("names", _MOST_NAMES)
    if not names:
        raise QueryError("names is missing: names of series, parted by commas")
    of_windows = [name for name in names if not name.startswith(EVALUATION)]
    of_evaluations = [name for name in names if name.startswith(EVALUATION)]
    rows = list[tuple[float, int, Sequence[float]]]()
    if of_windows:
        rows += _rows(run.series, of_windows, names, "", 0)
    if of_evaluations:
        rows += _rows(run.evaluation_series, of_evaluations, names, EVALUATION, 1)
    rows.sort(key=lambda row: row[:2])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["global_step", "time", *names])
    writer.writerows([_cell(step), *map(_cell, values)] for step, _, values in rows)
    return text.getvalue()


def _rows(
    columns: Columns, own: Sequence[str], names: Sequence[str], prefix: str, kind: int
) -> list[tuple[float, int, Sequence[float]]]:
    """Returns the step, the kind and the values of each row, which start with its time."""
    missing = np.full(len(columns), np.nan)
    values = [columns.column(n.removeprefix(prefix)) if n in own else missing for n in names]
    table = np.stack([columns.time, *values], axis=1).tolist()
    steps = columns.step.tolist()
    return [(step, kind, row) for step, row in zip(steps, table, strict=True)]


def _cell(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
