"""Seconds that parts of reading take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from raymon.results import INPUT_PARTS

Item = TypeVar("Item")


class InputSeconds:
    """Seconds of reading by part, added up over the threads that read.

    Args:
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds = dict.fromkeys(INPUT_PARTS, 0.0)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Adds the seconds of the context to those of a part."""
        began = self._clock()
        try:
            yield
        finally:
            self._add(part, self._clock() - began)

    def drawn(self, part: str, items: Iterator[Item]) -> Iterator[Item]:
        """Yields items, and adds the seconds that they take to come to those of a part."""
        while True:
            with self.timed(part):
                item = next(items, None)
            if item is None:
                return
            yield item

    def take(self) -> dict[str, float]:
        """Returns the seconds by part since the last call."""
        with self._lock:
            taken, self._seconds = self._seconds, dict.fromkeys(INPUT_PARTS, 0.0)
        return taken

    def _add(self, part: str, seconds: float) -> None:
        with self._lock:
            self._seconds[part] += seconds
