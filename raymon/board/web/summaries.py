"""What the table of runs says of each, from the summaries of the runs alone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from raymon.board.web.answers.entry import entry_of
from raymon.errors import RaymonError, first_line
from raymon.runs import RUN_FILE, RUNNING, STARTING, UNKNOWN, Run

_GOES_ON = (RUNNING, STARTING)

_LIVE_S = 1.0
"""Seconds after which it is looked again where a run is that goes on."""

_OBJECTS_S = 10.0
"""Seconds after which anything on object storage is looked at again."""

Signature = tuple[int, int]
"""Time and size of a file: what has the same ones has not changed."""


@dataclass(frozen=True)
class _Kept:
    signature: Signature
    at: float
    version: int
    entry: Mapping[str, Any]
    run: Run | None


class Summaries:
    """Entries of the table, which are made again only when files change.

    Args:
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def changed(self, path: str) -> float:
        """Returns when the summary of a run was last written, in seconds since 1970; 0 if never."""
        return _signature(path)[0] / 1e9

    def entry(self, run_id: str, path: str) -> Mapping[str, Any]:
        """Returns the entry of a run; one with an `error` if it cannot be read."""
        return self._get(run_id, path).entry

    def version(self, run_id: str, path: str) -> int:
        """Returns a number that changes when the entry does."""
        return self._get(run_id, path).version

    def going_on(self) -> list[str]:
        """Returns the ids of the runs that go on, of those that were asked for."""
        with self._lock:
            return [i for i, kept in self._kept.items() if kept.run is not None]

    def keep_only(self, ids: Mapping[str, str]) -> None:
        """Forgets the runs that are not among `ids`."""
        with self._lock:
            for gone in self._kept.keys() - ids.keys():
                del self._kept[gone]

    def _get(self, run_id: str, path: str) -> _Kept:
        kept, now = self._kept.get(run_id), self._clock()
        is_remote = "://" in path
        if kept is not None and is_remote and now - kept.at < _OBJECTS_S:
            return kept
        signature = _signature(path)
        is_same = not is_remote and kept is not None and kept.signature == signature
        if kept is not None and is_same and (kept.run is None or now - kept.at < _LIVE_S):
            return kept
        entry, run = _look(path, None if kept is None else kept.run)
        entry = {"id": run_id, **entry}
        version = 1 if kept is None else kept.version + (entry != kept.entry)
        made = _Kept(signature, now, version, entry, run)
        with self._lock:
            self._kept[run_id] = made
        return made


def _signature(path: str) -> Signature:
    try:
        found = os.stat(f"{path}/{RUN_FILE}")
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _look(path: str, run: Run | None) -> tuple[dict[str, Any], Run | None]:
    """Returns the entry of a run, and the run itself if it goes on."""
    try:
        if run is None:
            run = Run(path)
        else:
            run.refresh()
        entry = entry_of(path, run.status, run.summary, run.live or {})
        notes = run.notes
    except (RaymonError, OSError, pa.ArrowException) as error:
        return {**entry_of(path, UNKNOWN, {}, {}), "error": first_line(error)}, None
    entry["error"] = entry["error"] or (notes[0] if notes else None)
    return entry, run if run.status in _GOES_ON else None
