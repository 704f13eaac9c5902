"""The newest publications of a reporter, for readers that poll it."""

from __future__ import annotations

import uuid
from collections import deque

from raymon.results import Published

Cursor = tuple[str, int]
"""How far a reader has read: the id of the reporter's process, and the number of publications."""

_KEPT = 1000


class Publications:
    """The newest publications of one process of the reporter.

    Attributes:
        life: Id of the process; a restarted reporter has another one.
    """

    def __init__(self) -> None:
        self.life = uuid.uuid4().hex
        self._newest: deque[Published] = deque(maxlen=_KEPT)
        self._count = 0

    def add(self, published: Published) -> None:
        """Adds a publication; only the newest 1,000 are kept."""
        self._newest.append(published)
        self._count += 1

    def since(self, cursor: Cursor | None) -> tuple[list[Published], Cursor]:
        """Returns what was published after a cursor, and the next cursor.

        A restarted reporter returns everything that it has, including snapshots and evaluations
        that were read before.
        """
        seen = cursor[1] if cursor is not None and cursor[0] == self.life else 0
        missing = min(self._count - seen, len(self._newest))
        news = list(self._newest)[len(self._newest) - missing :]
        return news, (self.life, self._count)
