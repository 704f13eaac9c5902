"""`/api/runs/{id}/evaluations` and `/evaluation`: scores, and the curves behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from raymon.board.web.answers.numbers import listed, number, numbers
from raymon.board.web.query import Query, QueryError
from raymon.runs import Run, object_in


def evaluations(run: Run, query: Query) -> list[dict[str, Any]]:
    """Returns the evaluations by step, and whether each has curves."""
    kept = {number(line.get("global_step")): line for line in run.evaluation_records}
    columns = run.evaluation_series
    values = {
        name: listed(columns.column(name))
        for name in columns.names
        if name.startswith(("metrics.", "metric_bounds."))
    }
    found = []
    for place, (step, time) in enumerate(
        zip(listed(columns.step), listed(columns.time), strict=True)
    ):
        line: Mapping[str, Any] = kept.get(step) or {}
        metrics, bounds = dict[str, Any](), dict[str, Any]()
        for name, column in values.items():
            group, _, metric = name.partition(".")
            (metrics if group == "metrics" else bounds)[metric] = column[place]
        found.append(
            {
                "step": step,
                "time": time,
                "metrics": metrics,
                "metric_bounds": bounds,
                "no_value": object_in(line.get("no_value")),
                "metric_details": {
                    name: numbers(each)
                    for name, each in object_in(line.get("metric_details")).items()
                },
                "curves": sorted(object_in(line.get("curves"))),
                "groups": sorted(object_in(line.get("groups"))),
            }
        )
    return found


def evaluation(run: Run, query: Query) -> Mapping[str, Any]:
    """Returns the line of the evaluation of `step`; without it of the newest one."""
    step = query.number("step")
    records: Sequence[Mapping[str, Any]] = run.evaluation_records
    wanted = [line for line in records if step is None or line.get("global_step") == step]
    if wanted:
        return wanted[-1]
    at = "" if step is None else f" at step {step:.0f}"
    raise QueryError(f"the run has no evaluation with curves{at}")
