"""Draws items ahead of their consumer, on a thread, in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

BYTES_AHEAD = 64 << 20
"""Bytes that the batches waiting for one rank may take."""

Item = TypeVar("Item")


def fetch_ahead(
    items: Iterator[Item],
    size: Callable[[Item], int],
    max_bytes: int,
    join_s: float | None = None,
) -> Generator[Item, None, None]:
    """Yields the items, which a thread draws ahead as long as those that wait are not too large.

    An exception of `items` is raised at its place among them. Closing the generator ends the
    thread.

    Args:
        items: Items, drawn in the thread.
        size: Function from an item to its size in bytes.
        max_bytes: Bytes of all items that wait, at most. One item may always wait, however large.
        join_s: Seconds that closing waits for the thread, which may be waiting for an item; None to
            wait until it ends.
    """
    queue = _Queue[Item](max_bytes)

    def draw() -> None:
        try:
            for item in items:
                if not queue.put(item, size(item)):
                    return
            queue.end(None)
        except BaseException as error:
            queue.end(error)

    thread = threading.Thread(target=draw, name="raymon-batches", daemon=True)
    thread.start()
    try:
        yield from queue
    finally:
        queue.close()
        thread.join(join_s)


class _Queue(Iterator[Item]):
    """A queue of items between two threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def put(self, item: Item, size: int) -> bool:
        """Adds an item as soon as there is space; returns False if the consumer wants no more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not self._items or self._bytes + size <= self._max_bytes
            )
            if self._closed:
                return False
            self._items.append((item, size))
            self._bytes += size
            self._changed.notify_all()
            return True

    def end(self, error: BaseException | None) -> None:
        """Marks the end of the items, with the exception that ended them if there was one."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Marks that the consumer wants no more items."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __next__(self) -> Item:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or bool(self._items))
            if not self._items:
                if self._error is not None:
                    raise self._error
                raise StopIteration
            item, size = self._items.popleft()
            self._bytes -= size
            self._changed.notify_all()
            return item
