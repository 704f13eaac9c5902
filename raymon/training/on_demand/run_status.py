"""The status of a run, as JSON values: of one that goes on, and of one that is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Protocol

import pyarrow as pa

from raymon.errors import RaymonError
from raymon.reporter import Progress
from raymon.results import Finding, RankState
from raymon.run_dir import Lease
from raymon.runs import KILLED, RUN_FILE, RUNNING, STARTING, explain_run
from raymon.sinks import read_lines
from raymon.storage import StoragePath
from raymon.training.checkpoint.manifest import newest_checkpoint

Status = dict[str, Any]

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


class StatusLink(Protocol):
    """The reporter of a run, as far as its status is asked for."""

    def ranks(self) -> list[RankState]:
        """Returns what is known of each rank of the attempt that is going on."""

    def findings(self) -> list[Finding]:
        """Returns what is wrong with the run at this moment."""


def live_status(
    model_dir: StoragePath,
    total_steps: int | None,
    progress: Progress,
    reporter: StatusLink,
    clock: Callable[[], float] = time.monotonic,
) -> Status:
    """Returns the status of a run that goes on.

    Args:
        model_dir: Directory of the run.
        total_steps: Steps of the run; None if unknown.
        progress: Its progress.
        reporter: Its reporter.
        clock: Monotonic clock of `progress`, in seconds.
    """
    ranks, alerts, silent = _reported(reporter)
    began, last = progress.attempt, progress.last
    step = max((rank.step for rank in ranks), default=0)
    if last is not None:
        step = max(step, last.end_step)
    status: Status = {
        "run": str(model_dir),
        "status": RUNNING if began is not None else STARTING,
        "attempt": None if began is None else began.attempt,
        "world_size": None if began is None else began.world_size,
        "step": step,
        "total_steps": total_steps,
        "ranks": [asdict(rank) for rank in ranks],
        "alerts": [finding.to_json() for finding in alerts],
        "verdict": _verdict(model_dir),
        "checkpoint": _checkpoint(model_dir),
        "evaluation": None,
    }
    if progress.evaluations:
        newest = progress.evaluations[-1]
        status["evaluation"] = {"step": newest.step, "metrics": dict(newest.metrics)}
    if silent is not None:
        # What the driver knows is told all the same.
        status["reporter"] = silent
    if last is None:
        return status
    left = None if total_steps is None else max(0, total_steps - step)
    # While no step is made, the rate of the last ones is none of now.
    stalls = progress.stalled_s > 0
    rate = 0.0 if stalls else last.steps_per_second
    return {
        **status,
        "numbers": {
            "first_step": last.first_step,
            "end_step": last.end_step,
            "age_s": clock() - progress.last_at,
        },
        "epoch": last.epoch,
        "samples_total": last.samples_total,
        "samples_per_second": 0.0 if stalls else last.samples_per_second,
        "steps_per_second": rate,
        "stalled_s": progress.stalled_s,
        "eta_s": left / rate if left is not None and rate > 0 else None,
        "losses": last.all_losses,
        "metrics": dict(last.metrics),
        "learning_rates": list(last.learning_rates),
        "coverage": asdict(last.coverage),
    }


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
        "checkpoint": _checkpoint(model_dir),
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


def _reported(
    reporter: StatusLink,
) -> tuple[Sequence[RankState], Sequence[Finding], str | None]:
    """Returns what the reporter knows of ranks and alerts, and why it says nothing if it does."""
    try:
        return reporter.ranks(), reporter.findings(), None
    except Exception as error:  # it may be gone, and be started again in a moment
        return (), (), f"does not answer: {type(error).__name__}"


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


def _checkpoint(model_dir: StoragePath) -> Mapping[str, Any] | None:
    with suppress(RaymonError, OSError):
        newest = newest_checkpoint(model_dir)
        if newest is not None:
            return {"step": newest.step, "path": str(newest.path), "metrics": dict(newest.metrics)}
    return None
