"""Failures of monitoring, counted by their reason."""

from __future__ import annotations

import logging
import threading
from collections import Counter

from raymon.config import reason_with_place
from raymon.errors import RaymonError


class MetricFailedError(RaymonError):
    """A train metric failed; the message says which, why and where."""


_log = logging.getLogger("raymon")

_MOST_REASONS = 20
_LONGEST = 300
_OTHERS = "further reasons"


class Failures:
    """Counts failures from any thread, and logs each reason once.

    The reasons are sent with the windows, as few people read the log of a worker. That a train
    metric failed is shown with its value, and not logged.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: Counter[str] = Counter()
        self._logged: set[str] = set()
        self._count = 0

    @property
    def count(self) -> int:
        """Number of failures so far."""
        return self._count

    def add(self, error: BaseException) -> None:
        """Counts a failure."""
        # Ray wraps what an actor raised in an error of its own, whose text fills pages.
        cause = getattr(error, "cause", None)
        # For user code, such as a metric, the text says where it failed.
        text = reason_with_place(cause if isinstance(cause, Exception) else error)[:_LONGEST]
        with self._lock:
            self._count += 1
            if text not in self._logged and len(self._logged) >= _MOST_REASONS:
                text = _OTHERS
            self._new[text] += 1
            is_new = text not in self._logged
            self._logged.add(text)
        if is_new and not isinstance(error, MetricFailedError):
            _log.warning("monitoring: %s", text)

    def take(self) -> Counter[str]:
        """Returns the failures since the last call, counted by their reason."""
        with self._lock:
            new, self._new = self._new, Counter()
        return new
