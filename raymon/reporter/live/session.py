"""A session of a run, from its start or its resume to its end, and what was before it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from raymon.reporter.attempts import closed
from raymon.results import RANK_GONE
from raymon.runs import RUN_FILE, Attempt
from raymon.sinks import read_alerts, read_lines
from raymon.storage import StoragePath

_KILLED = "killed: its process ended without a word"


@dataclass(frozen=True)
class Session:
    """What a session begins with.

    Attributes:
        start: Seconds since 1970, UTC, at which the run began: its first session.
        attempts: Attempts of earlier sessions, all over.
        before: Content of `run.json` of the session that this one goes on from; empty in a new run.
    """

    start: float
    attempts: tuple[Attempt, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)


def find_session(model_dir: StoragePath, *, is_resumed: bool) -> Session:
    """Returns the session that begins in a directory.

    Args:
        model_dir: Directory of the run.
        is_resumed: Whether it goes on from a checkpoint. A run that does not may all the same have
            had attempts, which came to no checkpoint.
    """
    found = _read_summary(model_dir)
    attempts = _attempts(found)
    if any(attempt.end_step is None for attempt in attempts):
        attempts = closed(attempts, _last_step(model_dir, found), _why_killed(model_dir, attempts))
    before = found if is_resumed else {}
    start = before.get("start")
    began = start if isinstance(start, int | float) else time.time()
    return Session(began, tuple(attempts), before)


def _attempts(summary: Mapping[str, Any]) -> list[Attempt]:
    attempts = []
    listed = summary.get("attempts")
    for each in listed if isinstance(listed, list) else ():
        with suppress(TypeError):
            attempts.append(Attempt(**each))
    return attempts


def _why_killed(model_dir: StoragePath, attempts: Sequence[Attempt]) -> str:
    """Returns what ended the newest attempt: a rank that was gone before, or nothing that is known.

    Whoever starts the ranks ends the others when one of them is gone, also the one that writes.
    """
    with suppress(OSError, pa.ArrowException, ValueError, TypeError, KeyError):
        for alert in read_alerts(model_dir):
            finding = alert.finding
            if finding.kind == RANK_GONE and alert.attempt == attempts[-1].attempt:
                return f"killed: {finding.text}"
    return _KILLED


def _last_step(model_dir: StoragePath, summary: Mapping[str, Any]) -> int:
    """Returns the last step that a session reported which did not say how it ended."""
    steps = summary.get("steps")
    reached = steps if isinstance(steps, int) else 0
    with suppress(OSError, pa.ArrowException, ValueError, TypeError, KeyError):
        lines = read_lines(model_dir / "monitor" / "windows.jsonl")
        reached = max(reached, int(lines[-1]["global_step"])) if lines else reached
    return reached


def _read_summary(model_dir: StoragePath) -> dict[str, Any]:
    try:
        known = json.loads((model_dir / RUN_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
