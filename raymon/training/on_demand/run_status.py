"""The status of a run, as JSON values: of one that goes on, and of one that is over."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pyarrow as pa

from raymon.errors import RaymonError
from raymon.reporter import LIVE_FILE, Progress, Status, StatusLink, live_status
from raymon.run_dir import Lease
from raymon.runs import KILLED, RUN_FILE, RUNNING, explain_run
from raymon.sinks import read_lines
from raymon.storage import StoragePath
from raymon.training.checkpoint.manifest import newest_checkpoint

_OF_SUMMARY = {
    "samples_total": "samples",
    "samples_per_second": "samples_per_second",
    "metrics": "train_metrics",
    "epoch": "epochs",
    "restarts": "restarts",
    "error": "error",
    "stopped_early": "stopped_early",
    "best_checkpoint": "best_checkpoint",
    "verdict": "verdict",
}
"""Names in a status, and in `run.json`."""


def asked_status(
    model_dir: StoragePath, total_steps: int | None, progress: Progress, reporter: StatusLink
) -> Status:
    """Returns the status of a run that goes on, for who asks for it: with its verdict.

    Args:
        model_dir: Directory of the run.
        total_steps: Steps of the run; None if unknown.
        progress: Its progress.
        reporter: Its reporter.
    """
    status = live_status(str(model_dir), total_steps, progress, reporter)
    return {**status, "verdict": _verdict(model_dir), "checkpoint": checkpoint_status(model_dir)}


def told_status(model_dir: StoragePath, within_s: float) -> Status | None:
    """Returns what a run that goes on has written of itself, with its verdict.

    Args:
        model_dir: Directory of the run.
        within_s: Seconds by the clock of this machine that it may be old.

    Returns:
        The status; None if there is none, or it is older.
    """
    try:
        told = json.loads((model_dir / "monitor" / LIVE_FILE).read_bytes())
        age = time.time() - float(told["time"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # Clocks of machines differ a little.
    if not -1 < age < within_s:
        return None
    return {**told, "verdict": _verdict(model_dir)}


def kept_status(model_dir: StoragePath, *, is_over: bool = True) -> Status:
    """Returns the status of a run as its directory has it, without an answer of the run.

    Args:
        model_dir: Directory of the run.
        is_over: Whether its process is gone.

    Raises:
        OSError: The directory cannot be read.
        ValueError: `run.json` is damaged.
    """
    known = json.loads((model_dir / RUN_FILE).read_bytes())
    if not isinstance(known, dict):
        raise ValueError(f"{model_dir / RUN_FILE}: not the summary of a run")
    is_killed = known.get("status") == RUNNING and is_over
    status: Status = {
        "run": str(model_dir),
        "status": KILLED if is_killed else known.get("status"),
        "step": known.get("steps", 0),
        "checkpoint": checkpoint_status(model_dir),
        "evaluation": None,
        **{name: known[key] for name, key in _OF_SUMMARY.items() if known.get(key) is not None},
    }
    status["alerts"] = (known.get("alerts") or {}).get("on") or []
    if is_killed:
        status["verdict"] = _verdict(model_dir)
        status |= _last_numbers(model_dir)
    checkpoint = status["checkpoint"]
    if checkpoint is not None:
        status["step"] = max(status["step"], checkpoint["step"])
        scores = known.get("eval_metrics")
        if scores:
            status["evaluation"] = {"step": known.get("steps"), "metrics": scores}
    return status


def with_process(status: Status, lease: Lease | None) -> Status:
    """Returns a status with the process that writes to the directory of the run."""
    if lease is None:
        return status
    process = {"host": lease.host, "pid": lease.process, "since": lease.since}
    return {**status, "process": process}


def _verdict(model_dir: StoragePath) -> str | None:
    with suppress(Exception):
        return explain_run(model_dir).short
    return None


def _last_numbers(model_dir: StoragePath) -> Status:
    """Returns the numbers of the last line that a run wrote which did not end by itself."""
    with suppress(OSError, pa.ArrowException):
        lines = read_lines(model_dir / "monitor" / "windows.jsonl")
        if lines:
            kept = ("epoch", "samples_total", "losses", "metrics")
            numbers = {name: lines[-1][name] for name in kept if name in lines[-1]}
            return {**numbers, "step": lines[-1].get("global_step", 0)}
    return {}


def checkpoint_status(model_dir: StoragePath) -> Mapping[str, Any] | None:
    """Returns the newest checkpoint of a run; None if there is none, or it cannot be read."""
    with suppress(RaymonError, OSError):
        newest = newest_checkpoint(model_dir)
        if newest is not None:
            return {"step": newest.step, "path": str(newest.path), "metrics": dict(newest.metrics)}
    return None
