"""Work done ahead of its consumer, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    executor: Executor | None,
    ahead: int,
) -> Iterator[Result]:
    """`map(function, items)`, with up to `ahead` results in work or waiting.

    Results come in the order of `items`, and an exception of `function` at the place of its
    result. Closing the iterator cancels what has not begun.

    Args:
        function: called in the threads of `executor`.
        items: drawn in the consumer's thread.
        executor: None: everything happens in the consumer's thread.
        ahead: at least 1.
    """
    if executor is None:
        yield from map(function, items)
        return
    source = iter(items)
    pending: deque[Future[Result]] = deque()
    try:
        while True:
            for item in islice(source, ahead - len(pending)):
                pending.append(executor.submit(function, item))
            if not pending:
                return
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
