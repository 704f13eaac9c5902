"""`/api/compare`: runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from raymon.board.web.answers.numbers import number
from raymon.runs import Run, Score, ScoreRow, compare_runs


def compare(runs: Mapping[str, Run]) -> dict[str, Any]:
    """Returns what differs between runs, each value by the id of the run.

    Args:
        runs: The runs by id; the first is what the others differ from.
    """
    ids = list(runs)
    found = compare_runs(list(runs.values()))
    return {
        "runs": ids,
        "names": {run_id: run.name for run_id, run in runs.items()},
        "config": [
            {"field": each.field, "values": dict(zip(ids, each.values, strict=True))}
            for each in found.fields
        ],
        "metrics": [_row(ids, row) for row in found.rows],
        "same_data": found.same_data,
        "notes": list(found.notes),
    }


def _row(ids: Sequence[str], row: ScoreRow) -> dict[str, Any]:
    others = {i: each for i, each in zip(ids, row.differences, strict=True) if each is not None}
    return {
        "name": row.name,
        "values": {i: _score(each) for i, each in zip(ids, row.scores, strict=True) if each},
        "difference": {i: number(each.difference) for i, each in others.items()},
        "uncertainty": {i: number(each.uncertainty) for i, each in others.items()},
        "clear": {i: each.clear for i, each in others.items()},
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "value": number(score.value),
        "bound": number(score.bound),
        "standard_error": number(score.standard_error),
        "step": score.step,
    }
