"""The thread that a sink runs on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from raymon.sinks.background.action_queue import ActionQueue
from raymon.sinks.background.actions import WRITES, Action, Close, Flush
from raymon.sinks.background.hang_watch import HangWatch
from raymon.sinks.background.notices import Notices
from raymon.sinks.background.retries import Retries
from raymon.sinks.sink import Sink, SinkWithNotices

GATHER_S = 10.0
"""Seconds after a write until a flush."""


class SinkThread:
    """A thread that does actions in order, with a flush some seconds after a write.

    Args:
        sink: Sink that does the work.
        name: Name of the thread, and of the sink in notices.
        tries: Largest number of times that an action is tried.
        retry_s: Seconds between the first two tries; they double.
        queued: Largest number of writes that may wait; the oldest write of a full queue is dropped.
        hangs_after_s: Seconds after which there is a notice of an action that has not returned.
        clock: Monotonic clock, in seconds.

    Attributes:
        dropped: Number of writes that were dropped, in a full queue or for lack of time at the end.
    """

    def __init__(
        self,
        sink: Sink,
        name: str,
        *,
        tries: int,
        retry_s: float,
        queued: int,
        hangs_after_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._sink = sink
        self._notices = Notices(name)
        self._watch = HangWatch(hangs_after_s, clock, self._notices)
        self._retries = Retries(sink, tries, retry_s, self._watch, self._notices)
        self._queued = queued
        self._queue = ActionQueue(queued)
        self._is_writing = False
        self._closed = False
        self._ended = threading.Event()
        self.dropped = 0
        threading.Thread(target=self._work, name=f"raymon-{name}", daemon=True).start()

    @property
    def failures(self) -> int:
        """The number of actions that were given up."""
        return self._retries.failures

    @property
    def failure_reasons(self) -> Mapping[str, int]:
        """The number of actions that were given up, by reason."""
        return self._retries.reasons

    def put(self, action: Action) -> None:
        """Queues an action; returns at once."""
        if self._closed:
            self.dropped += 1
            self._notices.add_once("closed", f"{action.what} after its close is dropped")
        elif dropped := self._queue.put(action):
            self.dropped += dropped
            self._notices.add_once(
                "full", f"more than {self._queued} writes wait; the oldest are dropped"
            )

    def begin_close(self) -> None:
        """Queues the close of the sink, after what is left; returns at once."""
        if not self._closed:
            self._closed = self._retries.ends = True
            self._queue.put(Close())

    def close(self, timeout_s: float) -> None:
        """Does what is left and closes the sink, for at most `timeout_s` seconds."""
        self.begin_close()
        if not self._ended.wait(timeout_s):
            dropped = self._queue.clear_writes() + self._is_writing
            self.dropped += dropped
            self._notices.add_once(
                "unfinished", f"not done {timeout_s:g} s after the end; writes dropped: {dropped}"
            )

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        self._watch.look()
        return self._notices.take()

    def _work(self) -> None:
        action: Action | None = None
        flush_at: float | None = None
        while not isinstance(action, Close):
            left = None if flush_at is None else flush_at - time.monotonic()
            action = Flush() if left is not None and left <= 0 else self._queue.take(left)
            if action is None:
                action = Flush()
            self._is_writing = isinstance(action, WRITES)
            done = self._retries.do(action)
            if isinstance(self._sink, SinkWithNotices):
                for text in self._sink.take_notices():
                    self._notices.add(f": {text}")
            if isinstance(action, Flush):
                action.over.set()
                flush_at = None if done else time.monotonic() + GATHER_S
            elif self._is_writing and flush_at is None:
                flush_at = time.monotonic() + GATHER_S
            self._is_writing = False
        self._ended.set()
