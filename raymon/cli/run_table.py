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
    names = dict.fromkeys(n for run in runs for n in (*run.eval, *run.metrics, *run.losses))
    name = Column("run", [shown_name(run.path, roots) for run in runs], left=True)
    always = [
        Column("status", [plain(run.status) for run in runs], left=True),
        Column("step", [_step(run) for run in runs]),
        Column("samples/s", [_count(run.samples_per_second) for run in runs]),
    ]
    if metric is not None:
        always.append(Column(plain(metric), [_number(_metric(run, metric)) for run in runs]))
        always.append(Column("best", [_number(run.best.get(metric)) for run in runs]))
    always.append(Column("age", [_age(run, now) for run in runs]))
    more = [
        Column(plain(each), [_number(_metric(run, each)) for run in runs])
        for each in names
        if each != metric
    ]
    if width is None:
        return aligned([name, *always, *more])
    chosen = list(always)
    for column in more:
        wanted = min(name.width, 2 * _LEAST_NAME)
        if wanted + sum(c.width + 2 for c in [*chosen, column]) <= width:
            chosen.append(column)
    left = max(_LEAST_NAME, width - sum(column.width + 2 for column in chosen))
    name = Column(name.title, [shortened(text, left) for text in name.texts], left=True)
    return [line[:width] for line in aligned([name, *chosen])]


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


def _newest(run: Overview) -> float | None:
    return run.start if run.start is not None else run.updated


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "name": lambda run: run.name,
    "status": lambda run: run.status,
    "step": lambda run: run.step,
    "samples/s": lambda run: run.samples_per_second,
    "start": _newest,
    "age": lambda run: None if run.updated is None else -run.updated,
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


def _age(run: Overview, now: float) -> str:
    when = run.end if run.end is not None else run.updated
    if when is None or not math.isfinite(when):
        return NO_VALUE
    return duration_text(max(0.0, now - when))
