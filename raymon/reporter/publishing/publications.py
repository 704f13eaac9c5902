"""What was published, for whoever asks for news."""

from __future__ import annotations

import uuid
from collections import deque

from raymon.results import Published

Cursor = tuple[str, int]
"""Until where somebody has read: the life of the reporter, and a count of publications."""

_KEPT = 1000


class Publications:
    """The newest publications of one life of the reporter."""

    def __init__(self) -> None:
        self.life = uuid.uuid4().hex
        self._newest: deque[Published] = deque(maxlen=_KEPT)
        self._count = 0

    def add(self, published: Published) -> None:
        """Publishes something."""
        self._newest.append(published)
        self._count += 1

    def since(self, cursor: Cursor | None) -> tuple[list[Published], Cursor]:
        """What was published after a cursor, and the cursor behind it.

        Of a reporter that has started anew it is everything; snapshots and evaluations that were
        read before are among it.
        """
        seen = cursor[1] if cursor is not None and cursor[0] == self.life else 0
        missing = min(self._count - seen, len(self._newest))
        news = list(self._newest)[len(self._newest) - missing :]
        return news, (self.life, self._count)
