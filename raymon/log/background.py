"""A log handler that works on a thread of its own."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from contextlib import suppress

from raymon.safe_stream import SafeStream

_QUEUED = 10_000
"""Most lines that may wait; the rest is dropped, and counted."""


class BackgroundHandler(logging.Handler):
    """Passes records on to another handler, on a daemon thread.

    Who logs waits for nothing, and no failure of the handler reaches them: it is counted, and the
    first one is printed. A process that was forked off logs nothing here.

    Args:
        name: What the handler writes to, in the line about its first failure.
        handler: Handler that does the work.
        queued: Largest number of lines that may wait.

    Attributes:
        failures: Number of lines that were not written.
    """

    def __init__(self, name: str, handler: logging.Handler, queued: int = _QUEUED) -> None:
        super().__init__(handler.level)
        self._target = name
        self._handler = handler
        # The method of its class would print a traceback for each line.
        vars(handler)["handleError"] = self._count
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(queued)
        self._process = os.getpid()
        self.failures = 0
        self._thread = threading.Thread(target=self._work, name="raymon-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queues a record; it is dropped if too many wait."""
        if os.getpid() != self._process:
            return
        try:
            # What its arguments are may change before the thread comes to it.
            record.message = record.getMessage()
            self._queue.put_nowait(record)
        except Exception as error:
            self._fail("too many lines wait" if isinstance(error, queue.Full) else str(error))

    def finish(self, timeout_s: float) -> None:
        """Writes the lines that wait, for `timeout_s` seconds at most, and closes the handler."""
        if os.getpid() != self._process or not self._thread.is_alive():
            return
        deadline = time.monotonic() + timeout_s
        with suppress(queue.Full):
            self._queue.put(None, timeout=timeout_s)
            self._thread.join(max(0.0, deadline - time.monotonic()))
        super().close()

    def _work(self) -> None:
        while (record := self._queue.get()) is not None:
            try:
                self._handler.handle(record)
            except Exception as error:  # a handler of others may raise all the same
                self._fail(f"{type(error).__name__}: {error}")
        with suppress(Exception):
            self._handler.close()

    def _count(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        self._fail("failed" if error is None else f"{type(error).__name__}: {error}")

    def _fail(self, why: str) -> None:
        self.failures += 1
        if self.failures == 1:
            # Not as a log line, which would come here again.
            text = f"raymon: monitoring: log lines do not reach {self._target}: {why}\n"
            SafeStream(sys.stderr).write(text)
