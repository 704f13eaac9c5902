"""Which windows have a span, so that a run of a million of them stays cheap."""

from __future__ import annotations


class WindowLimit:
    """Counts windows, and says which of them have a span.

    The first `most` windows of an attempt have one; then each second window until there are as many
    again, then each fourth, and so on: a million windows have about 10,000 spans if the first 1,000
    have one each.

    Args:
        most: Number of spans after which there are half as many; 0 for none at all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.begin()

    def begin(self) -> None:
        """Begins to count anew."""
        self._seen = self._made = 0
        self._every = 1

    def take(self) -> int | None:
        """Counts a window.

        Returns:
            The number of windows that its span stands for; None if it has none.
        """
        self._seen += 1
        if self._most == 0 or self._seen < self._every:
            return None
        every, self._seen = self._every, 0
        self._made += 1
        if self._made % self._most == 0:
            self._every *= 2
        return every
