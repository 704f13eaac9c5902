"""The watch for actions that do not return."""

from __future__ import annotations

import threading
from collections.abc import Callable

from raymon.sinks.background.notices import Notices


class HangWatch:
    """Watches one action at a time, from another thread than the one that runs it.

    After a notice the next one comes only for an action that lasts twice as long: a sink that is
    always slow is not always news.

    Args:
        after_s: Seconds after which there is a notice of an action.
        clock: Monotonic clock, in seconds.
        notices: Notices that are added to.
    """

    def __init__(self, after_s: float, clock: Callable[[], float], notices: Notices) -> None:
        self._after_s = after_s
        self._clock = clock
        self._notices = notices
        self._lock = threading.Lock()
        self._what: str | None = None
        self._since = 0.0
        self._shown = False

    def begin(self, what: str) -> None:
        """Records that an action begins."""
        with self._lock:
            self._what, self._since, self._shown = what, self._clock(), False

    def end(self) -> None:
        """Records that the action has returned or raised.

        Adds a notice if there was one that the action hangs, or if one was due.
        """
        with self._lock:
            lasted_s = self._clock() - self._since
            if self._shown or self._is_news(lasted_s):
                self._notices.add(f" goes on: {self._what} took {lasted_s:.0f} s")
            self._what = None

    def look(self) -> None:
        """Adds a notice if the action has not returned in time."""
        with self._lock:
            lasted_s = self._clock() - self._since
            if self._what is not None and not self._shown and self._is_news(lasted_s):
                self._shown = True
                self._notices.add(
                    f" has not finished {self._what} for {lasted_s:.0f} s; "
                    "what follows waits for it"
                )

    def _is_news(self, lasted_s: float) -> bool:
        if lasted_s < self._after_s:
            return False
        self._after_s *= 2
        return True
