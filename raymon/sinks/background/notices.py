"""What is to be told of a sink."""

from __future__ import annotations

from collections import deque


class Notices:
    """Told on any thread, taken on another.

    Args:
        name: Of the sink.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown: set[str] = set()
        self._waiting: deque[str] = deque()

    def add(self, text: str) -> None:
        """Adds a notice."""
        self._waiting.append(f"{self._name}{text}")

    def add_once(self, kind: str, text: str) -> None:
        """Adds a notice, unless there was one of its kind: counts say how often."""
        if kind not in self._shown:
            self._shown.add(kind)
            self.add(f": {text}")

    def take(self) -> list[str]:
        """The notices since the call before."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
