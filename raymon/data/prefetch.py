"""Work done ahead of its consumer, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    executor: Executor | None,
    ahead: int,
) -> Generator[Result, None, None]:
    """`map(function, items)`, with up to `ahead` results in work or waiting.

    Results come in the order of `items`, and an exception of `function` or of `items` at its
    place among them. Closing the iterator cancels what has not begun.

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
    drained = False
    try:
        while True:
            while not drained and len(pending) < ahead:
                try:
                    pending.append(executor.submit(function, next(source)))
                except StopIteration:
                    drained = True
                except Exception as error:
                    # It waits for its turn, behind the results that came before it.
                    drained = True
                    pending.append(Future())
                    pending[-1].set_exception(error)
            if not pending:
                return
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
