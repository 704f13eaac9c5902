"""Explains a run from its directory alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa

from raymon.diagnosis import RunRecord, StepWindow, Verdict, explain
from raymon.errors import RunError, first_line
from raymon.results import Finding, Key
from raymon.run_dir import read_lease
from raymon.runs.devices import read_devices
from raymon.runs.run_file import RUN_FILE, RUNNING
from raymon.sinks import read_alerts, read_lines
from raymon.storage import StoragePath, read_file

_FAILURE = re.compile(r"failure-(\d+)\.txt")


def explain_run(model_dir: StoragePath) -> Verdict:
    """Returns why a run is slow, or how it ended.

    Args:
        model_dir: Directory of the run, which goes on or is over.

    Raises:
        RunError: It is not the directory of a run, or cannot be read.
    """
    return explain(read_run(model_dir))


def read_run(model_dir: StoragePath) -> RunRecord:
    """Returns what the directory of a run says of it; files that are missing say nothing.

    Raises:
        RunError: It is not the directory of a run, or cannot be read.
    """
    try:
        if not _is_run(model_dir):
            raise RunError(
                f"{model_dir}: not the directory of a run: it has neither {RUN_FILE} nor "
                "monitor/windows.jsonl; give its model_dir"
            )
        summary = _summary(model_dir)
        windows = _windows(model_dir)
        alerts = _alerts(model_dir)
        failure_file = _failure_file(model_dir)
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{model_dir}: cannot be read: {first_line(error)}") from None
    status = str(summary.get("status") or "")
    return RunRecord(
        windows=windows,
        status=status,
        goes_on=_goes_on(model_dir, status),
        error=_text(summary.get("error")),
        failure_file=failure_file,
        diverged_since=_step(summary.get("diverged_since")),
        alerts=alerts,
        hosts=_hosts(model_dir),
    )


def _is_run(model_dir: StoragePath) -> bool:
    return (model_dir / RUN_FILE).is_file() or (model_dir / "monitor" / "windows.jsonl").exists()


def _summary(model_dir: StoragePath) -> dict[str, Any]:
    try:
        known = json.loads(read_file(model_dir / RUN_FILE))
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _step(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _goes_on(model_dir: StoragePath, status: str) -> bool | None:
    """Returns whether the process of a run is there; None if that is not known."""
    if status != RUNNING:
        return False if status else None
    lease = read_lease(model_dir)
    return lease is not None and not lease.is_over


def _windows(model_dir: StoragePath) -> list[StepWindow]:
    """Returns the windows of a run, with the numbers of its ranks where they are known."""
    monitor = model_dir / "monitor"
    of_ranks, of_run = list[StepWindow](), list[StepWindow]()
    for line in read_lines(monitor / "ranks.jsonl"):
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            of_ranks.append(StepWindow.of_rank_line(line))
    for line in read_lines(monitor / "windows.jsonl"):
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            of_run.append(StepWindow.of_line(line))
    covered = [(window.first_step, window.end_step) for window in of_ranks]
    first, end = (covered[0][0], covered[-1][1]) if covered else (0, 0)
    before = [window for window in of_run if window.end_step <= first]
    after = [window for window in of_run if window.first_step >= end]
    return [*before, *of_ranks, *after]


def _alerts(model_dir: StoragePath) -> Sequence[Finding]:
    """Returns the findings that had begun and were not over."""
    on: dict[Key, Finding] = {}
    for alert in read_alerts(model_dir):
        if alert.is_over:
            on.pop(alert.finding.key, None)
        else:
            on[alert.finding.key] = alert.finding
    return list(on.values())


def _failure_file(model_dir: StoragePath) -> str | None:
    monitor = model_dir / "monitor"
    if not monitor.is_dir():
        return None
    found = {path: _FAILURE.fullmatch(path.name) for path in monitor.iterdir()}
    attempts = {path: int(name[1]) for path, name in found.items() if name}
    return str(max(attempts, key=lambda path: attempts[path])) if attempts else None


def _hosts(model_dir: StoragePath) -> dict[int, str]:
    hosts = {}
    for device in read_devices(model_dir):
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            hosts[int(device["rank"])] = str(device["host"])
    return hosts
