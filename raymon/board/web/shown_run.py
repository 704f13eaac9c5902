"""A run that is looked at, from its directory as it is now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from raymon.diagnosis import Verdict
from raymon.runs import RUNNING, STARTING, Run

_FRESH_S = 0.4
"""Seconds for which what was read is as good as new."""

_FRESH_OBJECTS_S = 5.0
"""The same on object storage, where each look costs requests."""

_VERDICT_S = 10.0
"""Seconds after which the verdict on a run that goes on is found again."""

Answer = TypeVar("Answer")


def id_of(path: str) -> str:
    """Returns the id of the run in a directory: it stays the same, and says nothing."""
    return sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:12]


class ShownRun:
    """A run that somebody looks at, for one thread at a time.

    Args:
        path: Directory of the run.
        clock: Monotonic clock, in seconds.

    Attributes:
        path: Directory of the run.
        id: Its id in addresses.
        version: Number that changes whenever something of the run did.

    Raises:
        RunError: There is no run, or it cannot be read.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.id = id_of(path)
        self.version = 1
        self._clock = clock
        self._lock = threading.Lock()
        self._run = Run(path)
        self._at = clock()
        self._verdict: tuple[float, int, Verdict] | None = None
        self._fresh_s = _FRESH_OBJECTS_S if "://" in path else _FRESH_S

    def ask(self, question: Callable[[Run], Answer]) -> Answer:
        """Returns what a function says of the run, once it is as new as its directory.

        Raises:
            RunError: The run is gone, or cannot be read.
        """
        with self._lock:
            self._refresh()
            return question(self._run)

    def verdict(self, run: Run) -> Verdict:
        """Returns why the run is slow, or how it ended; as of some seconds ago if it goes on.

        Args:
            run: The run, as `ask` gives it.
        """
        kept = self._verdict
        if kept is not None:
            at, version, verdict = kept
            goes_on = run.status in (RUNNING, STARTING)
            if version == self.version or (goes_on and self._clock() - at < _VERDICT_S):
                return verdict
        verdict = run.verdict()
        self._verdict = (self._clock(), self.version, verdict)
        return verdict

    def refresh(self) -> int:
        """Reads what is new; returns the version.

        Raises:
            RunError: The run is gone, or cannot be read.
        """
        with self._lock:
            self._refresh()
            return self.version

    def _refresh(self) -> None:
        if self._clock() - self._at < self._fresh_s:
            return
        if self._run.refresh():
            self.version += 1
        self._at = self._clock()
