"""Tells of actions that do not come back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from raymon.sinks.background.notices import Notices


class HangWatch:
    """Watches one action at a time, from another thread than runs it.

    What has been told is told again only when it lasts twice as long: a sink that is always slow
    is not always news.

    Args:
        after_s: Seconds after which an action is told.
        clock: Seconds that never go back.
        notices: Where it is told.
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
        """An action begins."""
        with self._lock:
            self._what, self._since, self._shown = what, self._clock(), False

    def end(self) -> None:
        """The action has come back, well or not: it is told if that it hung was, or should be."""
        with self._lock:
            lasted_s = self._clock() - self._since
            if self._shown or self._is_news(lasted_s):
                self._notices.add(f" goes on: {self._what} took {lasted_s:.0f} s")
            self._what = None

    def look(self) -> None:
        """Tells of an action that has not come back."""
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
