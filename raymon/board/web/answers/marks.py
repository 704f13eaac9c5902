"""`/api/runs/{id}/marks` and `/alerts`: what happened to a run."""

from __future__ import annotations

from typing import Any

from raymon.board.web.answers.numbers import number
from raymon.board.web.query import Query
from raymon.runs import Run


def marks(run: Run, query: Query) -> list[dict[str, Any]]:
    """Returns what is marked on the axis of the curves."""
    return [
        {"kind": mark.kind, "step": mark.step, "time": number(mark.time), "text": mark.text}
        for mark in run.marks
    ]


def alerts(run: Run, query: Query) -> list[dict[str, Any]]:
    """Returns the alerts, the newest first, each with whether it is still on."""
    last = dict[Any, int]()
    found = list(run.alert_list)
    for place, alert in enumerate(found):
        last[alert.finding.key] = place
    return [
        {
            **alert.to_json(),
            "is_on": not alert.is_over and last[alert.finding.key] == place,
        }
        for place, alert in reversed(list(enumerate(found)))
    ]
