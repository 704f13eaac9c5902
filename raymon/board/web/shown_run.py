"""A run that is looked at, from its directory as it is now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import TypeVar

from raymon.diagnosis import Verdict
from raymon.errors import RaymonError, RunError
from raymon.runs import RUNNING, STARTING, Run, explain_run

_FRESH_S = 0.4
"""Seconds for which what was read is as good as new."""

_FRESH_OBJECTS_S = 5.0
"""The same on object storage, where each look costs requests."""

_VERDICT_S = 10.0
"""Least seconds after which the verdict on a run that goes on is found again."""

_VERDICT_SHARE = 0.025
"""Largest share of the time that verdicts take."""

Answer = TypeVar("Answer")


def id_of(path: str) -> str:
    """Returns the id of the run in a directory: it stays the same, and says nothing."""
    return sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:12]


class GoneError(RunError):
    """The directory of a run has been deleted."""


class ShownRun:
    """A run that somebody looks at.

    A large one is there at once, with some of its windows, and the others follow.

    Args:
        path: Directory of the run.
        clock: Monotonic clock, in seconds.

    Attributes:
        path: Directory of the run.
        id: Its id in addresses.

    Raises:
        RunError: There is no run, or it cannot be read.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.id = id_of(path)
        self._clock = clock
        self._run = Run(path, quick=True)
        self._at = clock()
        self._fresh_s = _FRESH_OBJECTS_S if "://" in path else _FRESH_S
        self._explaining = threading.Lock()
        self._verdict: Verdict | None = None
        self._verdict_of: tuple[int, float] | None = None
        self._verdict_took = 0.0
        self._verdicts = 0
        self._is_wanted = False

    @property
    def version(self) -> int:
        """Number that grows whenever something of the run has changed."""
        return self._run.version + self._verdicts

    def ask(self, question: Callable[[Run], Answer]) -> Answer:
        """Returns what a function says of the run, once it is as new as its directory.

        Raises:
            GoneError: The directory has been deleted.
        """
        self.refresh()
        return question(self._run)

    def ask_whole(self, question: Callable[[Run], Answer]) -> Answer:
        """Returns what a function says of the run, once all of its lines are read.

        Args:
            question: The function; it is called twice, since a run reads what it is asked for.

        Raises:
            GoneError: The directory has been deleted.
        """
        answer = self.ask(question)
        if self._run.is_whole:
            return answer
        while not self._run.is_whole:
            self._refresh()
        return question(self._run)

    def refresh(self, for_s: float = 0.0) -> int:
        """Reads what is new; returns the version.

        Args:
            for_s: Seconds that it may take to read more of a large run.

        Raises:
            GoneError: The directory has been deleted.
        """
        began = self._clock()
        if began - self._at >= self._fresh_s:
            self._refresh()
        while not self._run.is_whole and self._clock() - began < for_s:
            self._refresh()
        if self._run.is_gone:
            raise GoneError(f"{self.path}: the directory is gone")
        return self.version

    def verdict(self) -> Verdict | None:
        """Returns why the run is slow, or how it ended; None at first, as it takes a while.

        It is found on the side, of a large run once its lines are read, so that curves need not
        wait for it. That of a run that goes on is some seconds old.
        """
        self._is_wanted = True
        if self._is_due() and self._explaining.acquire(blocking=False):
            threading.Thread(target=self._explain_soon, name="verdict", daemon=True).start()
        return self._verdict

    def verdict_now(self) -> Verdict:
        """Returns why the run is slow, or how it ended.

        Raises:
            RunError: The run cannot be read.
        """
        with self._explaining:
            if self._verdict is None:
                self._explain()
            assert self._verdict is not None
            return self._verdict

    def _refresh(self) -> None:
        self._run.refresh()
        self._at = self._clock()
        if self._is_wanted:
            self.verdict()

    def _is_due(self) -> bool:
        if not self._run.is_whole:
            return False
        if self._verdict_of is None:
            return True
        version, at = self._verdict_of
        if version == self._run.version:
            return False
        goes_on = self._run.status in (RUNNING, STARTING)
        pause = max(_VERDICT_S, self._verdict_took / _VERDICT_SHARE)
        return not goes_on or self._clock() - at >= pause

    def _explain_soon(self) -> None:
        try:
            # What cannot be explained is not: it is looked at all the same.
            with suppress(RaymonError, OSError):
                self._explain()
        finally:
            self._explaining.release()

    def _explain(self) -> None:
        began = self._clock()
        self._verdict_of = (self._run.version, began)
        found = explain_run(self._run.path)
        self._verdict_took = self._clock() - began
        if found != self._verdict:
            self._verdict = found
            self._verdicts += 1
