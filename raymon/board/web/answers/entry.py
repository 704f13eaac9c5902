"""The entry of a run in the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raymon.board.web.answers.numbers import number, numbers
from raymon.runs import RUNNING, STARTING


def entry_of(
    path: str, status: str, summary: Mapping[str, Any], live: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the entry of a run, without its id.

    Args:
        path: Directory of the run.
        status: Its status.
        summary: The content of `run.json`; empty if there is none.
        live: That of `monitor/live.json`; empty if it does not go on.
    """
    goes_on = status in (RUNNING, STARTING)
    losses, metrics = _train_numbers(summary)
    steps = [number(source.get(name)) for source, name in ((live, "step"), (summary, "steps"))]
    now = live if live else summary
    return {
        "name": path.rstrip("/").rpartition("/")[2],
        "path": path,
        "status": status,
        "step": max((step for step in steps if step is not None), default=None),
        "total_steps": number(live.get("total_steps")) or number(summary.get("total_steps")),
        "eta_s": number(live.get("eta_s")) if goes_on else None,
        "samples_per_second": number(now.get("samples_per_second")),
        "start": number(summary.get("start")),
        "end": number(summary.get("end")),
        "updated": number(live.get("time")) or number(summary.get("updated")),
        "workers": number(live.get("world_size")) or number(summary.get("workers")),
        "restarts": number(summary.get("restarts")),
        "losses": numbers(live.get("losses")) or losses,
        "metrics": numbers(live.get("metrics")) or metrics,
        "eval": numbers(summary.get("eval_metrics")),
        "best": numbers(summary.get("best_metrics")),
        "alerts": _alerts(summary, live),
        "verdict": _line(summary.get("verdict")),
        "error": _line(summary.get("error")),
        "config": {},
    }


def _train_numbers(
    summary: Mapping[str, Any],
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Returns the losses and the metrics of training, which a summary has in one object.

    Metrics have a value of the last window, and losses have none.
    """
    found = numbers(summary.get("train_metrics"))
    of_window = numbers(summary.get("window_metrics"))
    bounds = numbers(summary.get("train_metric_bounds"))
    metrics = {name: v for name, v in found.items() if name in of_window or name in bounds}
    return {name: v for name, v in found.items() if name not in metrics}, metrics


def _alerts(summary: Mapping[str, Any], live: Mapping[str, Any]) -> int:
    """Returns how many alerts are on, or were when the run ended."""
    on = live.get("alerts")
    if on is None:
        kept = summary.get("alerts")
        on = kept.get("on") if isinstance(kept, dict) else None
    return len(on) if isinstance(on, list) else 0


def _line(value: Any) -> str | None:
    return str(value).split("\n")[0] if value else None
