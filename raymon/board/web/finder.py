"""The directories of runs under those that the page is about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from raymon.board.web.shown_run import id_of
from raymon.runs import find_runs
from raymon.storage import absolute, storage_path

_EVERY_S = 2.0
"""Least seconds between two searches."""

_EVERY_OBJECTS_S = 20.0
"""The same if object storage is searched, which costs requests."""

_SHARE = 0.02
"""Largest share of the time that searches take, so that a large directory is no load."""


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

    Raises:
        UserError: One of them is no path and no URI.
    """

    def __init__(self, roots: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.roots = [absolute(storage_path(root)) for root in roots]
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Found | None = None
        self._next = 0.0
        remote = any("://" in str(root) for root in self.roots)
        self._every_s = _EVERY_OBJECTS_S if remote else _EVERY_S

    def find(self) -> Found:
        """Returns the runs that there are, as of some seconds ago."""
        with self._lock:
            if self._found is None or self._clock() >= self._next:
                began = self._clock()
                found = find_runs(self.roots)
                took = self._clock() - began
                paths = {id_of(str(path)): str(path) for path in found.paths}
                self._found = Found(paths, tuple(found.notes))
                self._next = began + max(self._every_s, took / _SHARE)
            return self._found
