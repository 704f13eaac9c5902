"""What the table of runs says of each, from the summaries of the runs alone."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from raymon.board.web.answers.entry import entry_of
from raymon.errors import RaymonError, first_line
from raymon.runs import RUN_FILE, RUNNING, STARTING, Run
from raymon.storage import StoragePath, storage_path

_GOES_ON = (RUNNING, STARTING)

_STATUS_S = 2.0
"""Seconds after which it is asked again whether the process of a run is there."""

_OBJECTS_S = 10.0
"""Seconds after which a summary on object storage is read again."""

Signature = tuple[int, ...]
"""Times and sizes of files: what has the same ones has not changed."""


@dataclass(frozen=True)
class _Kept:
    signature: Signature
    at: float
    version: int
    entry: Mapping[str, Any]


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
        try:
            return os.stat(f"{path}/{RUN_FILE}").st_mtime
        except (OSError, ValueError):
            return 0.0

    def entry(self, run_id: str, path: str) -> Mapping[str, Any]:
        """Returns the entry of a run; one with an `error` if its summary cannot be read."""
        return self._get(run_id, path).entry

    def version(self, run_id: str, path: str) -> int:
        """Returns a number that changes when the entry does."""
        return self._get(run_id, path).version

    def going_on(self) -> list[str]:
        """Returns the ids of the runs that go on, of those that were asked for."""
        with self._lock:
            return [i for i, kept in self._kept.items() if kept.entry["status"] in _GOES_ON]

    def keep_only(self, ids: Mapping[str, str]) -> None:
        """Forgets the runs that are not among `ids`."""
        with self._lock:
            for gone in self._kept.keys() - ids.keys():
                del self._kept[gone]

    def _get(self, run_id: str, path: str) -> _Kept:
        kept = self._kept.get(run_id)
        age = 0.0 if kept is None else self._clock() - kept.at
        if kept is not None and "://" in path and age < _OBJECTS_S:
            return kept
        signature = _signature(path)
        is_over = kept is not None and kept.entry["status"] not in _GOES_ON
        if kept is not None and kept.signature == signature and (is_over or age < _STATUS_S):
            return kept
        entry = {"id": run_id, **_entry(path)}
        version = 1 if kept is None else kept.version + (entry != kept.entry)
        made = _Kept(signature, self._clock(), version, entry)
        with self._lock:
            self._kept[run_id] = made
        return made


def _signature(path: str) -> Signature:
    signature: list[int] = []
    for name in (RUN_FILE, "monitor/live.json"):
        try:
            found = os.stat(f"{path}/{name}")
            signature += [found.st_mtime_ns, found.st_size]
        except (OSError, ValueError):
            signature += [0, 0]
    return tuple(signature)


def _entry(path: str) -> dict[str, Any]:
    directory = storage_path(path)
    status, error = "unknown", None
    summary, wrong = _read(directory / RUN_FILE)
    live: Mapping[str, Any] = {}
    try:
        status = Run(path).status
    except (RaymonError, OSError, ValueError, pa.ArrowException) as found:
        error = first_line(found)
    if status in _GOES_ON:
        live, _ = _read(directory / "monitor" / "live.json")
    entry = entry_of(path, status, summary, live)
    return {**entry, "error": error or wrong or entry["error"]}


def _read(path: StoragePath) -> tuple[Mapping[str, Any], str | None]:
    """Returns the object of a file, and why it cannot be read; empty if there is no file."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}, None
    except (OSError, ValueError, pa.ArrowException, RecursionError) as error:
        return {}, f"{path.name} cannot be read: {first_line(error)}"
    return (found, None) if isinstance(found, dict) else ({}, f"{path.name} is no summary")
