"""The numbers of log lines as fields, for lines in JSON."""

from __future__ import annotations

from typing import Any

from raymon.results import Alert, AttemptBegan, Evaluation, EvaluationProgress, Snapshot

_NOT_IN_LINES = ("tables", "first_window_weights", "gradient_norms")
"""What a line of `monitor/windows.jsonl` has and a log line has not, as it may be long."""


def progress_fields(snapshot: Snapshot) -> dict[str, Any]:
    """Returns the fields of a progress line, with the names of `monitor/windows.jsonl`.

    While no step is made, the rates are 0, and `stalled_s` says for how long that has been so.
    """
    numbers = snapshot.to_json()
    if snapshot.stalled_s > 0:
        numbers["samples_per_second"] = 0.0
    return {
        "event": "progress",
        "step": numbers.pop("global_step"),
        "steps_per_second": 0.0 if snapshot.stalled_s > 0 else snapshot.steps_per_second,
        "stalled_s": snapshot.stalled_s,
        **{name: value for name, value in numbers.items() if name not in _NOT_IN_LINES},
    }


def evaluation_fields(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the fields of the scores of an evaluation."""
    return {
        "event": "evaluation",
        "step": evaluation.step,
        "metrics": dict(evaluation.metrics),
        "metric_bounds": dict(evaluation.metric_bounds),
        "metric_details": {name: dict(found) for name, found in evaluation.metric_details.items()},
        "no_value": dict(evaluation.no_value),
    }


def evaluation_progress_fields(progress: EvaluationProgress) -> dict[str, Any]:
    """Returns the fields of a line while an evaluation goes on."""
    return {
        "event": "evaluation_progress",
        "step": progress.step,
        "done": progress.done,
        "total": progress.total,
        "seconds": progress.seconds,
    }


def alert_fields(alert: Alert) -> dict[str, Any]:
    """Returns the fields of an alert, with the names of `monitor/alerts.jsonl`."""
    fields = alert.to_json()
    # The time of the line is that of the alert too, and its text the message.
    del fields["time"], fields["text"]
    return {"event": "alert", "step": fields.pop("global_step"), **fields}


def attempt_fields(began: AttemptBegan) -> dict[str, Any]:
    """Returns the fields of the line with which an attempt begins."""
    return {"event": "attempt", "world_size": began.world_size, "step": began.step}
