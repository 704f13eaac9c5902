"""A queue of notices about a sink."""

from __future__ import annotations

from collections import deque


class Notices:
    """A queue of notices about a sink, from one thread to another.

    Args:
        name: Name of the sink, with which every notice begins.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown: set[str] = set()
        self._waiting: deque[str] = deque()

    def add(self, text: str) -> None:
        """Adds a notice."""
        self._waiting.append(f"{self._name}{text}")

    def add_once(self, kind: str, text: str) -> None:
        """Adds a notice, unless there was one of its kind; counts show how often it happened."""
        if kind not in self._shown:
            self._shown.add(kind)
            self.add(f": {text}")

    def take(self) -> list[str]:
        """Returns the notices since the last call."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
