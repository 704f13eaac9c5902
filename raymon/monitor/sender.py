"""The thread that encodes windows and sends them, and keeps each until it is acknowledged."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any

from raymon.monitor.channel import Channel
from raymon.monitor.window import Window, encode_window
from raymon.protos.report_pb2 import WindowReport

_log = logging.getLogger("raymon")

MAX_PENDING = 1000
"""Messages that a worker keeps for a reporter that does not answer; then the oldest go."""

_IN_FLIGHT = 8
_RETRY_S = 0.5

Publication = Callable[[Channel], Future[None]]
Work = Callable[[], None]


@dataclass
class _Message:
    """Something that is on its way: a report, or something that is published.

    Attributes:
        report: The window, encoded; None for a publication.
        publication: What to call; None for a report.
    """

    report: WindowReport | None = None
    publication: Publication | None = None

    def send(self, channel: Channel, first_kept: int, dropped: int) -> Future[Any]:
        if self.report is None:
            assert self.publication is not None
            return self.publication(channel)
        self.report.first_kept = first_kept
        self.report.dropped = dropped
        return channel.report(self.report.SerializeToString())


@dataclass
class _Work:
    call: Work


class Sender:
    """Sends windows and scores in order, in the background, and again where that fails.

    Args:
        channel: The way to the reporter.
        on_values: Called on the sender thread with the values of the train metrics that came
            back with an acknowledgement.
    """

    def __init__(self, channel: Channel, on_values: Callable[[Mapping[str, float]], None]) -> None:
        self._channel = channel
        self._on_values = on_values
        self._taken: deque[Window | Publication | _Work] = deque()
        self._pending: deque[_Message] = deque()
        self._in_flight: deque[tuple[_Message, Future[Any]]] = deque()
        self._next_index = 0
        self._changed = threading.Condition()
        self._closing = False
        self._give_up_at: float | None = None
        self.acknowledged = 0
        self.dropped = 0
        self.failures = 0
        self._thread = threading.Thread(target=self._run, name="raymon-sender", daemon=True)
        self._thread.start()

    def put(self, window: Window) -> None:
        """Takes a window over; never waits. Past `MAX_PENDING` the oldest is dropped."""
        self._take(window)

    def work(self, work: Work) -> None:
        """Calls `work` in the background, in order with the windows; never waits."""
        self._take(_Work(work))

    def publish(self, publication: Publication) -> None:
        """Calls `publication` with the channel, in order with the windows; never waits."""
        self._take(publication)

    def close(self, timeout_s: float) -> bool:
        """Sends what is left, for at most `timeout_s` seconds; true when all of it arrived."""
        with self._changed:
            self._closing = True
            self._give_up_at = time.monotonic() + timeout_s
            self._changed.notify()
        self._thread.join(timeout_s + _RETRY_S)
        lost = len(self._taken) + len(self._pending) + len(self._in_flight)
        self.dropped += lost
        return lost == 0

    def _take(self, item: Window | Publication | _Work) -> None:
        with self._changed:
            self._taken.append(item)
            self._changed.notify()

    def _run(self) -> None:
        while self._wait_for_work():
            try:
                self._encode_taken()
                self._send_pending()
                self._collect()
            except Exception as error:  # nothing that fails here may end the thread
                self._count(error)

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not (self._taken or self._pending or self._in_flight):
                if self._closing:
                    return False
                self._changed.wait()
        return self._give_up_at is None or time.monotonic() < self._give_up_at

    def _encode_taken(self) -> None:
        # At once, although they may wait: encoded, a window is a hundredth of its tensors.
        while self._taken:
            item = self._taken.popleft()
            if isinstance(item, Window):
                self._encode(item)
            elif isinstance(item, _Work):
                item.call()
            else:
                self._pending.append(_Message(publication=item))
            if len(self._pending) > MAX_PENDING:
                self._pending.popleft()
                self.dropped += 1

    def _encode(self, window: Window) -> None:
        # A window that could not even be cut leaves a gap.
        self.dropped += window.index - self._next_index
        self._next_index = window.index + 1
        try:
            self._pending.append(_Message(report=encode_window(window)))
        except Exception as error:
            self.dropped += 1
            self._count(error)

    def _send_pending(self) -> None:
        while self._pending and len(self._in_flight) < _IN_FLIGHT:
            message = self._pending.popleft()
            future = message.send(self._channel, self._first_kept(message), self.dropped)
            self._in_flight.append((message, future))

    def _first_kept(self, message: _Message) -> int:
        # Messages are in order, so the first report is that of the oldest window.
        kept = (*(m for m, _ in self._in_flight), message)
        return next((m.report.index for m in kept if m.report is not None), self._next_index)

    def _collect(self) -> None:
        if not self._in_flight:
            return
        message, future = self._in_flight[0]
        try:
            values = future.result(timeout=_RETRY_S)
        except FutureTimeout:
            return
        except Exception as error:
            self._count(error)
            self._send_again()
            time.sleep(_RETRY_S)
            return
        self._in_flight.popleft()
        self.acknowledged += 1
        if message.report is not None:
            self._on_values(values)

    def _send_again(self) -> None:
        # Idempotent at the reporter, so what may have arrived can go a second time.
        self._pending.extendleft(message for message, _ in reversed(self._in_flight))
        self._in_flight.clear()

    def _count(self, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            _log.warning("monitoring: %s: %s", type(error).__name__, error)
