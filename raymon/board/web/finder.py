"""The directories of runs under those that the page is about."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from raymon.board.web.shown_run import id_of
from raymon.runs import RUN_FILE
from raymon.storage import StoragePath, absolute, storage_path

_EVERY_S = 2.0
"""Least seconds between two searches."""

_SHARE = 0.02
"""Largest share of the time that searches take, so that a large directory is no load."""

_DEPTH = 4


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        paths: Directories of runs, by id.
        notes: What could not be searched, in lines.
    """

    paths: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Finder:
    """Finds runs, again at times.

    Args:
        roots: Directories of runs, or those under which runs are; or their URIs.
        clock: Monotonic clock, in seconds.

    Attributes:
        roots: The same, absolute.
    """

    def __init__(self, roots: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.roots = [absolute(storage_path(root)) for root in roots]
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Found | None = None
        self._next = 0.0

    def find(self) -> Found:
        """Returns the runs that there are, as of some seconds ago."""
        with self._lock:
            if self._found is None or self._clock() >= self._next:
                began = self._clock()
                self._found = _search(self.roots)
                took = self._clock() - began
                self._next = began + max(_EVERY_S, took / _SHARE)
            return self._found


def _search(roots: Sequence[StoragePath]) -> Found:
    paths, unreadable = dict[str, str](), 0
    for root in roots:
        if isinstance(root, Path):
            for path in _runs_under(str(root), _DEPTH):
                if path is None:
                    unreadable += 1
                else:
                    paths[id_of(path)] = path
        else:
            paths[id_of(str(root))] = str(root)
    some = "1 directory" if unreadable == 1 else f"{unreadable:,} directories"
    return Found(paths, (f"{some} cannot be read",) if unreadable else ())


def _runs_under(directory: str, depth: int) -> Iterator[str | None]:
    """Yields the directories of runs; None for a directory that cannot be read."""
    try:
        with os.scandir(directory) as entries:
            found = [entry for entry in entries if not entry.name.startswith(".")]
        names = {entry.name for entry in found}
        if RUN_FILE in names or _has_windows(directory, names):
            yield directory
            return
        inner = [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
    except OSError:
        yield None
        return
    if depth > 0:
        for path in sorted(inner):
            yield from _runs_under(path, depth - 1)


def _has_windows(directory: str, names: set[str]) -> bool:
    return "monitor" in names and os.path.exists(f"{directory}/monitor/windows.jsonl")
