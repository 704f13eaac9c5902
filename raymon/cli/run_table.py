"""A list of runs as a table that fits a terminal."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from raymon.cli.cells import Column, aligned, plain, shortened
from raymon.number_text import NO_VALUE, count_text, duration_text, number_text

if TYPE_CHECKING:
    from raymon.runs import Overview

_LEAST_NAME = 16

_LESS = ("step", "samples/s", "best")
"""Columns of which there is less in a narrow terminal: of steps their share, of others nothing."""


def sorted_runs(runs: Sequence[Overview], field: str | None) -> list[Overview]:
    """Returns runs in an order, those without a value last.

    Args:
        runs: The runs.
        field: Field to sort by, with - in front of it for the other way round; None for the newest
            first.

    Raises:
        UserError: No run has such a field.
    """
    from raymon.errors import UserError

    name = (field or "start").removeprefix("-")
    value = _FIELDS.get(name) or (lambda run: _metric(run, name))
    known = [(value(run), run) for run in runs]
    with_value = [(v, run) for v, run in known if v is not None]
    if runs and not with_value and name not in _FIELDS:
        metrics = dict.fromkeys(n for run in runs for n in (*run.eval, *run.metrics, *run.losses))
        raise UserError(f"--sort {field}: no run has it; sort by {', '.join([*_FIELDS, *metrics])}")
    is_text = name in ("name", "status")
    down = is_text == (field or "").startswith("-")
    ordered = sorted(with_value, key=lambda pair: pair[0], reverse=down)
    return [run for _, run in ordered] + [run for v, run in known if v is None]


def table_lines(
    runs: Sequence[Overview], roots: Sequence[str], width: int | None, now: float
) -> list[str]:
    """Returns the lines of a table: a heading, and a line for each run.

    Args:
        runs: The runs.
        roots: Directories that they were searched in, which their names are relative to.
        width: Columns of the terminal, of which as many are used as there are; None for no limit.
        now: Seconds since 1970, UTC.
    """
    from raymon.runs import main_metric

    if not runs:
        return []
    metric = main_metric(list(runs))
    name = Column("run", [shown_name(run.path, roots) for run in runs], left=True)
    others = [n for run in runs for n in (*run.eval, *run.metrics, *run.losses) if n != metric]
    more = [_column_of(runs, each) for each in dict.fromkeys(others)]
    if width is None:
        return aligned([name, *_columns(runs, metric, now), *more])
    chosen = _columns(runs, metric, now)
    for title in _LESS:
        if _LEAST_NAME + _width(chosen) > width:
            short = Column("step", [_share(run) for run in runs]) if title == "step" else None
            kept = [short if column.title == title else column for column in chosen]
            chosen = [column for column in kept if column is not None]
    for column in more:
        if min(name.width, 2 * _LEAST_NAME) + _width([*chosen, column]) <= width:
            chosen.append(column)
    left = max(_LEAST_NAME, width - _width(chosen))
    name = Column(name.title, [shortened(text, left) for text in name.texts], left=True)
    return aligned([name, *chosen])


def _columns(runs: Sequence[Overview], metric: str | None, now: float) -> list[Column]:
    columns = [
        Column("status", [plain(run.status) for run in runs], left=True),
        Column("step", [_step(run) for run in runs]),
        Column("samples/s", [_count(run.samples_per_second) for run in runs]),
    ]
    if metric is not None:
        columns.append(_column_of(runs, metric))
        columns.append(Column("best", [_number(run.best.get(metric)) for run in runs]))
    return [*columns, Column("age", [_age(run, now) for run in runs])]


def _column_of(runs: Sequence[Overview], metric: str) -> Column:
    return Column(plain(metric), [_number(_metric(run, metric)) for run in runs])


def _width(columns: Sequence[Column]) -> int:
    return sum(column.width + 2 for column in columns)


def shown_name(path: str, roots: Sequence[str]) -> str:
    """Returns the path of a run below the directory that it was found in, as it prints."""
    for root in roots:
        for form in (root.rstrip("/"), os.path.abspath(root)):
            if form and path.startswith(f"{form}/"):
                return plain(path[len(form) + 1 :])
    return plain(path.rstrip("/").rpartition("/")[2] or path)


def _metric(run: Overview, name: str) -> float | None:
    kinds: Sequence[Mapping[str, float]] = (run.eval, run.metrics, run.losses)
    return next((each[name] for each in kinds if name in each), None)


def _best(run: Overview) -> float | None:
    from raymon.runs import main_metric

    name = main_metric([run])
    return None if name is None else run.best.get(name)


def _before(when: float | None) -> float | None:
    return None if when is None else -when


def _newest(run: Overview) -> float | None:
    return run.start if run.start is not None else run.updated


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "name": lambda run: run.name,
    "status": lambda run: run.status,
    "step": lambda run: run.step,
    "samples/s": lambda run: run.samples_per_second,
    "start": _newest,
    "age": lambda run: _before(_when(run)),
    "best": _best,
}


def _step(run: Overview) -> str:
    if run.step is None:
        return NO_VALUE
    total = f"/{run.total_steps:,}" if run.total_steps else ""
    return f"{run.step:,}{total}"


def _count(value: float | None) -> str:
    return NO_VALUE if value is None else count_text(value)


def _number(value: float | None) -> str:
    return NO_VALUE if value is None else number_text(value)


def _share(run: Overview) -> str:
    if run.step is None or not run.total_steps:
        return _step(run)
    return f"{100 * run.step / run.total_steps:.0f} %"


def _when(run: Overview) -> float | None:
    return run.end if run.end is not None else run.updated


def _age(run: Overview, now: float) -> str:
    when = _when(run)
    if when is None or not math.isfinite(when):
        return NO_VALUE
    return duration_text(max(0.0, now - when))
