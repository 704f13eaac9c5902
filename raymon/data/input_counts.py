"""Counts of what is wrong with the data but does not stop the run, and what reading takes."""

from __future__ import annotations

import threading
from collections import Counter

from raymon.data.input_seconds import InputSeconds


class InputCounts:
    """Counts by name; several threads may add to them.

    Args:
        seconds: Seconds of reading that are shared with other counts; None for its own.

    Attributes:
        seconds: Seconds of reading by part.
    """

    def __init__(self, seconds: InputSeconds | None = None) -> None:
        self.seconds = InputSeconds() if seconds is None else seconds
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int) -> None:
        """Adds to a count, such as `ids_out_of_range.item_id`, named as in `count_names`."""
        with self._lock:
            self._counts[name] += count

    def take(self) -> dict[str, int]:
        """Returns what was counted since the last call, by name."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return dict(taken)
