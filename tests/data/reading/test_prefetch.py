from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from raymon.data.reading.prefetch import fetch_ahead


class Drawn:
    """Items of one byte each, which count how many of them were drawn."""

    def __init__(self, count: int) -> None:
        self.changed = threading.Condition()
        self.count = 0
        self._end = count

    def __iter__(self) -> Iterator[int]:
        for item in range(self._end):
            with self.changed:
                self.count += 1
                self.changed.notify_all()
            yield item

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, timeout=20)


def test_items_come_in_order() -> None:
    assert list(fetch_ahead(iter(range(100)), lambda _: 1, 7)) == list(range(100))


def test_no_more_is_drawn_than_fits() -> None:
    drawn = Drawn(100)
    items = fetch_ahead(iter(drawn), lambda _: 1, 5)
    assert next(items) == 0
    # Five wait, and one more is drawn before it is known that it does not fit.
    drawn.wait_for(7)
    assert next(items) == 1
    drawn.wait_for(8)
    assert drawn.count <= 8
    items.close()
    assert drawn.count <= 9


def test_an_item_that_is_larger_than_all_space_comes_too() -> None:
    assert list(fetch_ahead(iter([1, 2, 3]), lambda _: 100, 10)) == [1, 2, 3]


def test_an_error_comes_at_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the third")

    ahead = fetch_ahead(items(), lambda _: 1, 10)
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(ahead)


def test_closing_ends_the_thread() -> None:
    before = threading.active_count()
    items = fetch_ahead(iter(Drawn(100)), lambda _: 1, 3)
    next(items)
    assert threading.active_count() == before + 1
    items.close()
    assert threading.active_count() == before
