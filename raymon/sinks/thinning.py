"""How the past of a long run is thinned: what is older than a day, the older the sparser."""

from __future__ import annotations

from collections.abc import Callable, Sequence

WHOLE_S = 86400.0
"""Seconds of the past that are never thinned."""

_FILLED = 0.75
"""Share of its limit that something has after it was thinned, so that it is not thinned often."""

_MOST = 64


class Limit:
    """The size above which something that grows is thinned, and again when it has grown since.

    Args:
        max_bytes: The limit.
    """

    def __init__(self, max_bytes: int) -> None:
        self.target = int(max_bytes * _FILLED)
        self._max_bytes = max_bytes
        self._next = max_bytes

    def is_passed(self, size: int) -> bool:
        """Returns whether something of this size has to be thinned."""
        return size > self._next

    def thinned_to(self, size: int) -> None:
        """Sets the next size to thin at: the last day alone may be above the limit."""
        self._next = max(self._max_bytes, int(size / _FILLED))


def thin(entries: Sequence[bytes], is_old: Callable[[bytes], bool], target: int) -> Sequence[bytes]:
    """Returns entries of which the old ones are thinned: each second, fourth, up to 64th is kept.

    Entries that were thinned before are thinned again, so that the oldest are the sparsest.

    Args:
        entries: All entries, the oldest first.
        is_old: Whether an entry may be thinned; true up to some entry, and false from there on.
        target: Bytes that the result has at most, if the last day alone does not have more.
    """
    low, high = 0, len(entries)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if is_old(entries[middle]) else (low, middle)
    whole = sum(map(len, entries[low:]))
    old, step = entries[:low], 1
    while step < _MOST and whole + sum(map(len, old)) > target:
        step *= 2
        old = entries[:low:step]
    return [*old, *entries[low:]]
