"""`/api/runs/{id}`: all of one run that is not asked for apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raymon.board.web.answers.entry import entry_of
from raymon.board.web.answers.numbers import number
from raymon.board.web.answers.series import series_names
from raymon.diagnosis import Verdict
from raymon.runs import Columns, Run

_LONG = frozenset({"devices", "embedding_tables"})
"""Parts of a summary that are long, and are asked for apart."""


def detail(run: Run, verdict: Verdict | None) -> dict[str, Any]:
    """Returns the entry of a run in the table, and what its page needs first.

    What is long is asked for apart: the ranks, their devices, the embedding tables.

    Args:
        run: The run.
        verdict: The verdict on it; None if it is not known yet.
    """
    columns = run.series
    return {
        **entry_of(str(run.path), run.status, run.summary, run.live or {}),
        "series": series_names(columns),
        "evaluation_series": series_names(run.evaluation_series),
        "steps": _ends(columns, "global_step"),
        "times": _ends(columns, "time"),
        "windows": len(columns),
        "live": None if run.live is None else {k: v for k, v in run.live.items() if k != "ranks"},
        "summary": {k: v for k, v in run.summary.items() if k not in _LONG},
        "attempts": [_attempt(each) for each in run.attempts],
        "verdict": None if verdict is None else _verdict(verdict),
        "notes": run.notes,
        "is_whole": run.is_whole,
    }


def _ends(columns: Columns, name: str) -> list[float | None]:
    values = columns.column(name)
    if not len(values):
        return [None, None]
    return [number(float(values[0])), number(float(values[-1]))]


def _verdict(verdict: Verdict) -> Mapping[str, Any]:
    return {**verdict.to_json(), "short": verdict.short, "budget": verdict.budget}


def _attempt(attempt: Any) -> Mapping[str, Any]:
    return dict(vars(attempt))
