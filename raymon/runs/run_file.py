"""`run.json`, the summary of a run: its name, and what its status can be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from raymon.version import __version__

RUN_FILE = "run.json"
"""Name of the file, in the directory of the run."""

DONE, DIVERGED, STOPPED = "done", "diverged", "stopped"
RUNNING, FAILED, INTERRUPTED = "running", "failed", "interrupted"
"""Values of its `status`."""

STARTING = "starting"
"""Status of a run before its workers train."""

KILLED = "killed"
"""Status of a run that did not say that it ended, and whose process is gone."""

UNKNOWN = "unknown"
"""Status of a run without a summary, such as one of an earlier version."""


def newer_version(summary: Mapping[str, Any]) -> str | None:
    """Returns the version of raymon that wrote a summary if it is newer than this one, else None.

    Args:
        summary: The content of `run.json`.
    """
    written = str(summary.get("version") or "")
    return written if _release(written) > _release(__version__) else None


def _release(version: str) -> tuple[int, ...]:
    """Returns the numbers of a version such as 0.1.0 or 1.2.0rc1; none if it is no version."""
    release = re.match(r"\d{1,9}(\.\d{1,9})*", version)
    return tuple(map(int, release[0].split("."))) if release else ()
