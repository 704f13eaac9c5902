"""Work done ahead of its consumer, in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

BYTES_AHEAD = 64 << 20
"""What the batches that wait for one rank may take, in bytes."""

Item = TypeVar("Item")


def fetch_ahead(
    items: Iterator[Item],
    size: Callable[[Item], int],
    max_bytes: int,
    join_s: float | None = None,
) -> Generator[Item, None, None]:
    """The items, drawn by a thread of their own as long as those that wait are not too large.

    An exception of `items` comes at its place among them. Closing the generator ends the thread.

    Args:
        items: drawn in the thread.
        size: of an item, in bytes.
        max_bytes: of all items that wait. One item may always wait, however large.
        join_s: how long closing waits for the thread, which may be waiting for an item; None: as
            long as it takes.
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
    """Items between two threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def put(self, item: Item, size: int) -> bool:
        """Adds an item when there is room; false when nobody wants any more."""
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
        """Says that there are no more, or what went wrong instead."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Says that nobody wants any more."""
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
