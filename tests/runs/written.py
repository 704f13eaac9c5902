"""Directories of runs, as their sinks write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from raymon.results import Alert, Finding, RankNumbers
from raymon.sinks import AlertLines, RankLines, WindowLines
from tests.sinks.snapshots import snapshot


def write_windows(run: Path, *steps: int, **changes: Any) -> None:
    """Appends windows that end at some steps; that of step s ends s seconds after 1,000."""
    sink = WindowLines(run)
    for step in steps:
        sink.write(snapshot(step, time=1000.0 + step, **changes))
    sink.close()


def write_rank_lines(run: Path, *steps: int, ranks: int = 3) -> None:
    sink = RankLines(run)
    for step in steps:
        values = [[0.1 * rank, float(step)] for rank in range(ranks)]
        numbers = RankNumbers(
            ("forward", "host_bytes"), tuple(range(ranks)), np.array(values, np.float32)
        )
        sink.write(snapshot(step, time=1000.0 + step, rank_numbers=numbers, seconds=100.0))
    sink.close()


def write_alert(run: Path, step: int, text: str, *, is_over: bool = False) -> None:
    finding = Finding("straggler", text, rank=1, phase="forward")
    AlertLines(run).write_alert(Alert(finding, 1, step, 1000.0 + step, is_over))


def write_summary(run: Path, **fields: Any) -> None:
    run.mkdir(parents=True, exist_ok=True)
    (run / "run.json").write_text(json.dumps({"status": "done", **fields}))


def write_checkpoint(run: Path, step: int, **metrics: float) -> Path:
    directory = run / f"model.ckpt-{step}"
    directory.mkdir(parents=True)
    manifest = {"step": step, "metrics": metrics, "files": {"a": {"size": 7}, "b": {"size": 5}}}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


def write_evaluation(run: Path, step: int, **fields: Any) -> None:
    (run / "monitor").mkdir(parents=True, exist_ok=True)
    with (run / "monitor" / "evaluations.jsonl").open("a") as file:
        file.write(json.dumps({"global_step": step, "time": 1000.0 + step, **fields}) + "\n")
