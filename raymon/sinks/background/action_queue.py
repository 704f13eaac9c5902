"""The queue of actions that wait for a sink."""

from __future__ import annotations

import threading
from collections import deque

from raymon.sinks.background.actions import WRITES, Action


class ActionQueue:
    """A first-in, first-out queue between two threads; drops writes when it is full.

    Args:
        size: Largest number of writes that may wait.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._actions: deque[Action] = deque()
        self._changed = threading.Condition()

    def put(self, action: Action) -> int:
        """Adds an action, without waiting.

        In a full queue a write replaces the oldest snapshot or, in the rare case that none waits,
        the oldest evaluation, or else the oldest alert. A roll-back or a close replaces nothing,
        and is never dropped.

        Returns:
            Number of writes that were dropped.
        """
        with self._changed:
            full = len(self._actions) >= self._size and self._writes() >= self._size
            drops = full and isinstance(action, WRITES)
            if drops:
                self._drop_oldest()
            self._actions.append(action)
            self._changed.notify()
        return int(drops)

    def take(self, timeout_s: float | None = None) -> Action | None:
        """Returns the oldest action.

        Args:
            timeout_s: Seconds to wait for one; None waits without limit.

        Returns:
            The action; None if none came in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._actions, timeout_s):
                return None
            return self._actions.popleft()

    def clear_writes(self) -> int:
        """Drops the writes that wait, and returns their number."""
        with self._changed:
            dropped = self._writes()
            for _ in range(dropped):
                self._drop_oldest()
        return dropped

    def _writes(self) -> int:
        return sum(isinstance(action, WRITES) for action in self._actions)

    def _drop_oldest(self) -> None:
        for kind in WRITES:
            for i, action in enumerate(self._actions):
                if isinstance(action, kind):
                    del self._actions[i]
                    return
