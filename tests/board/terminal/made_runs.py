"""Runs whose files are written by a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raymon.strict_json import to_json

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\r\n[bold red]x[/] \u202e\U0001f525日本"
"""A name that would do things to a terminal."""


def window(step: int, **numbers: Any) -> dict[str, Any]:
    """Returns a line of `windows.jsonl` of the ten steps before `step`."""
    return {
        "global_step": step,
        "first_step": step - 10,
        "time": 1_000.0 + step,
        "epoch": 0,
        "samples": 100,
        "samples_total": 10 * step,
        "seconds": 2.0,
        "samples_per_second": 50.0,
        "losses": {"total_loss": 1 / step},
        "metrics": {"auc": 1 - 1 / step},
        "metric_bounds": {"auc": 0.0},
        "learning_rates": [0.1],
        "ranks": 2,
        "world_size": 2,
        **numbers,
    }


def alert(step: int, kind: str = "straggler", *, is_over: bool = False, **finding: Any) -> Any:
    """Returns a line of `alerts.jsonl`."""
    return {
        "global_step": step,
        "attempt": 1,
        "time": 1_000.0 + step,
        "is_over": is_over,
        "kind": kind,
        "text": "rank 1 is slow",
        "rank": 1,
        **finding,
    }


def make_run(
    path: Path,
    windows: Sequence[Mapping[str, Any]],
    *,
    ranks: Sequence[Mapping[str, Any]] = (),
    alerts: Sequence[Mapping[str, Any]] = (),
    scores: Sequence[Mapping[str, Any]] = (),
    summary: Mapping[str, Any] | None = None,
) -> Path:
    """Writes the files of a run; returns its directory."""
    monitor = path / "monitor"
    monitor.mkdir(parents=True)
    files = {
        monitor / "windows.jsonl": windows,
        monitor / "ranks.jsonl": ranks,
        monitor / "alerts.jsonl": alerts,
        path / "train_eval_result_v2.txt": scores,
    }
    for file, lines in files.items():
        file.write_text("".join(to_json(line) + "\n" for line in lines))
    (path / "run.json").write_text(to_json({"status": "done", "steps": 0, **(summary or {})}))
    return path
