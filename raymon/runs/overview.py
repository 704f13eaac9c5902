"""What a list of runs shows of each."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from raymon.runs.columns import numbers_in
from raymon.runs.run import Run
from raymon.runs.run_file import RUN_FILE

MAIN_METRIC = "auc"
"""Metric that a short list shows if there are several."""


@dataclass(frozen=True)
class Overview:
    """A run in a list of runs.

    Attributes:
        name: Name of its directory.
        path: Its directory.
        status: Its status, as `Run.status`.
        step: Step that it reached; None if that is not known.
        total_steps: Steps that it will make; None if that is not known.
        eta_s: Seconds until then; None if that is not known, or it is over.
        samples_per_second: Samples of all ranks per second: at present, or of the whole run if it
            is over; None if that is not known.
        start: Seconds since 1970, UTC, at its start; None if that is not known.
        updated: The same of the newest numbers.
        end: The same of its end; None while it goes on, or if that is not known.
        workers: Ranks of its newest attempt; None if that is not known.
        restarts: Number of restarts of its workers.
        losses: Losses of the training by name.
        metrics: Metrics of the training by name.
        eval: Scores of the last evaluation by name.
        best: Scores of the best checkpoint by name.
        alerts: Number of alerts that are not over; None if that is not known.
        error: Why it failed, in a line; None if it did not.
        notes: What of it cannot be read, each in a line.
    """

    name: str
    path: str
    status: str
    step: int | None = None
    total_steps: int | None = None
    eta_s: float | None = None
    samples_per_second: float | None = None
    start: float | None = None
    updated: float | None = None
    end: float | None = None
    workers: int | None = None
    restarts: int | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    eval: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    alerts: int | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the run as a JSON object."""
        return asdict(self)


def overview_of(run: Run) -> Overview:
    """Returns what a list shows of a run, from its summary and, while it goes on, its last window.

    Little is read for it, and nothing raises: what is not known is None.

    Args:
        run: The run.
    """
    summary, live = run.summary, run.live or {}
    losses, metrics = {}, _numbers(summary.get("train_metrics"))
    last: dict[str, float] = {}
    if run.goes_on or "steps" not in summary:
        windows = run.newest_windows(1)
        last = {name: windows.last(name) for name in windows.names}
    for name, value in last.items():
        kind, _, rest = name.partition(".")
        if kind == "losses":
            losses[rest] = value
        elif kind == "metrics":
            metrics[rest] = value
    if not losses:
        # The summary has losses and metrics in one.
        named = [name for name in metrics if "loss" in name or "cross_entropy" in name]
        losses = {name: metrics.pop(name) for name in named}
    alerts = summary.get("alerts")
    on = alerts.get("on") if isinstance(alerts, Mapping) else None
    rate = live.get("samples_per_second") or last.get("samples_per_second")
    return Overview(
        run.name,
        str(run.path),
        run.status,
        _whole(_first(live.get("step"), last.get("global_step"), summary.get("steps"))),
        _whole(summary.get("total_steps")),
        _number(live.get("eta_s")),
        _number(rate if run.goes_on else _first(summary.get("samples_per_second"), rate)),
        _number(summary.get("start")),
        _number(_first(live.get("time"), last.get("time"), summary.get("updated"), _written(run))),
        None if run.goes_on else _number(summary.get("end")),
        _whole(_first(summary.get("workers"), last.get("world_size"))),
        _whole(summary.get("restarts")),
        losses,
        metrics,
        _numbers(summary.get("eval_metrics")),
        _numbers(summary.get("best_metrics")),
        len(on) if isinstance(on, list) else None,
        _line(summary.get("error")),
        tuple(run.notes),
    )


def main_metric(overviews: list[Overview]) -> str | None:
    """Returns the metric that a list of runs shows first; None if no run was evaluated."""
    counts: dict[str, int] = {}
    for each in overviews:
        for name in each.eval or each.metrics:
            counts[name] = counts.get(name, 0) + 1
    if MAIN_METRIC in counts:
        return MAIN_METRIC
    return max(counts, key=lambda name: counts[name], default=None)


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _numbers(values: Any) -> dict[str, float]:
    if not isinstance(values, Mapping):
        return {}
    return {name: value for name, value in numbers_in(values) if math.isfinite(value)}


def _line(value: Any) -> str | None:
    return (str(value).splitlines() or [""])[0] if value else None


def _written(run: Run) -> float | None:
    if not isinstance(run.path, Path):
        return None
    for name in (RUN_FILE, "monitor"):
        try:
            return os.stat(run.path / name).st_mtime
        except OSError:
            continue
    return None
