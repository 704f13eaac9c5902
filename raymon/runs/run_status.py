"""Whether a run goes on, is over, or was killed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raymon.errors import RunError
from raymon.run_dir import LOCK, Lease, read_lease
from raymon.runs.run_file import KILLED, RUNNING, STARTING, UNKNOWN
from raymon.storage import StoragePath

_SILENT_S = 120.0
"""Seconds without a sign of life, which comes every five, after which a run elsewhere is over."""


class StatusReader:
    """The status of a run, from its summary and from the signs of life of its process.

    On the machine of the run it is known whether the process is there. From another one, or on
    object storage, a run is taken as killed that has given no sign of life for two minutes: by its
    file, or as long as it was looked at.

    Args:
        model_dir: Directory of the run.
    """

    def __init__(self, model_dir: StoragePath) -> None:
        self._model_dir = model_dir
        self._beat: Any = None
        self._beat_seen = 0.0

    def status(self, summary: Mapping[str, Any]) -> str:
        """Returns the status.

        Args:
            summary: The content of `run.json`; empty if there is none.
        """
        status = str(summary.get("status") or UNKNOWN)
        if status not in (RUNNING, STARTING, UNKNOWN):
            return status
        try:
            lease = read_lease(self._model_dir)
        except RunError:
            return status
        if lease is None:
            # Loops of others on Ray write no lease.
            return status if status == UNKNOWN or _is_recent(summary.get("updated")) else KILLED
        # A process that is here may be stopped for a while.
        if lease.is_over or (not lease.is_here and self._is_silent(lease)):
            return KILLED
        return RUNNING if status == UNKNOWN else status

    def _is_silent(self, lease: Lease) -> bool:
        beat, now = (lease.run, lease.beat), time.monotonic()
        if beat != self._beat:
            self._beat, self._beat_seen = beat, now
        if now - self._beat_seen > _SILENT_S:
            return True
        if not isinstance(self._model_dir, Path):
            return False
        try:
            return time.time() - os.stat(self._model_dir / LOCK).st_mtime > _SILENT_S
        except OSError:
            return False


def _is_recent(updated: Any) -> bool:
    return isinstance(updated, int | float) and time.time() - updated < _SILENT_S
