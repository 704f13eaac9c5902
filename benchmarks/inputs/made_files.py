"""The files of a run that nobody trained, apart from its lines of numbers."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.inputs.made_curves import DOWN_S, SAMPLES, STEPS, MadeCurves, table_rows
from raymon.results import Evaluation
from raymon.storage import to_json

_KEPT = 4
"""Checkpoints that are kept."""


def write_summary(
    directory: Path, curves: MadeCurves, last: Evaluation, best: Evaluation, goes_on: bool
) -> None:
    """Writes `run.json`, `tables.json`, `devices.json` and `version`."""
    end = curves.time(curves.windows - 1)
    steps, failed = curves.windows * STEPS, curves.restart * STEPS
    tables = table_rows()
    devices = [
        {"rank": rank, "host": f"worker-{rank // 8:03d}", "device": "cpu", "name": None,
         "memory_bytes": None, "uuid": None}
        for rank in range(curves.ranks)
    ]  # fmt: skip
    attempts = [
        {"attempt": 1, "time": curves.begin, "world_size": curves.ranks, "step": 0,
         "end_step": failed + 7 * STEPS, "failure": "rank 3: OSError: <b>connection</b> reset"},
        {"attempt": 2, "time": curves.time(curves.restart - 1) + DOWN_S, "step": failed,
         "world_size": curves.ranks, "end_step": None if goes_on else steps, "failure": None},
    ]  # fmt: skip
    summary: dict[str, Any] = {
        "status": "running" if goes_on else "done",
        "model_dir": str(directory),
        "start": curves.begin,
        "end": None if goes_on else end,
        "updated": end,
        "version": "0.1.0",
        "steps": steps,
        "total_steps": steps * (2 if goes_on else 1),
        "workers": curves.ranks,
        "parameters": {"dense": 123_456, "embedding": sum(t["rows"] * t["dim"] for t in tables)},
        "attempts": attempts,
        "stopped_early": None,
        "diverged_since": None,
        "epochs": 3,
        "samples": curves.windows * SAMPLES,
        "train_s": end - curves.begin - DOWN_S,
        "samples_per_second": curves.windows * SAMPLES / (end - curves.begin - DOWN_S),
        "train_metrics": {
            "auc": curves.auc(curves.windows - 1),
            "total_loss": float(curves.losses[-1]),
        },
        "train_metric_bounds": {"auc": 5e-5},
        "eval_metrics": dict(last.metrics),
        "eval_metric_bounds": dict(last.metric_bounds),
        "eval_metric_details": {k: dict(v) for k, v in last.metric_details.items()},
        "no_value": {},
        "best_checkpoint": str(directory / f"model.ckpt-{best.step}"),
        "best_metrics": dict(best.metrics),
        "best_metric_bounds": dict(best.metric_bounds),
        "restarts": 1,
        "embedding_tables": tables,
        "devices": devices,
        "alerts": {"on": [], "counts": {"straggler": 2, "loss_spike": 3}},
        "verdict": None,
        "error": None,
    }
    (directory / "run.json").write_text(to_json(summary, indent=2))
    known = {"world_size": curves.ranks, "embedding_tables": tables}
    (directory / "tables.json").write_text(to_json(known, indent=2))
    (directory / "devices.json").write_text(to_json({"devices": devices}, indent=2))
    (directory / "version").write_text("0.1.0\n")


def write_checkpoints(
    directory: Path, evaluations: list[tuple[float, Evaluation]], best: Evaluation
) -> None:
    """Writes the manifests of the newest checkpoints and of the best one, without tensors."""
    kept = {each.step: (time, each) for time, each in evaluations[-_KEPT:]}
    kept |= {each.step: (time, each) for time, each in evaluations if each.step == best.step}
    for step, (time, evaluation) in kept.items():
        checkpoint = directory / f"model.ckpt-{step}"
        checkpoint.mkdir(parents=True, exist_ok=True)
        manifest = {
            "step": step,
            "epoch": 0,
            "stopped": None,
            "metrics": dict(evaluation.metrics),
            "world_size": 8,
            "raymon_version": "0.1.0",
            "files": {"__0_0.distcp": {"size": 147_000_000, "sha256": "0" * 64}},
            "tensors": {},
        }
        (checkpoint / "manifest.json").write_text(to_json(manifest, indent=1))
        os.utime(checkpoint / "manifest.json", (time, time))


def write_logs(directory: Path, curves: MadeCurves) -> None:
    """Writes the log of the driver, some lines of which have markup."""
    logs = directory / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    every = max(1, curves.windows // 5000)
    with (logs / "driver.log").open("w") as file:
        for number, window in enumerate(range(0, curves.windows, every)):
            level = "WARNING" if number % 50 == 49 else "INFO"
            text = f"step {window * STEPS:,}, auc {curves.auc(window):.4f} <i>not markup</i> & more"
            line = {"time": _stamp(curves.time(window)), "level": level, "run": str(directory),
                    "process": "driver", "host": "worker-000", "pid": 4711, "logger": "raymon",
                    "message": text}  # fmt: skip
            file.write(json.dumps(line) + "\n")


def _stamp(seconds: float) -> str:
    found = datetime.fromtimestamp(seconds, UTC)
    return found.strftime("%Y-%m-%dT%H:%M:%S.") + f"{found.microsecond // 1000:03d}Z"
