"""The thread that encodes windows and sends them, and keeps each until it is acknowledged."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from raymon.monitor.channel import Channel
from raymon.monitor.window import Window, encode_window

_log = logging.getLogger("raymon")

MAX_PENDING = 1000
"""Windows that a worker keeps for a reporter that does not answer; then the oldest go."""

_IN_FLIGHT = 8
_RETRY_S = 0.5


class Sender:
    """Sends windows in order, in the background.

    Args:
        channel: The way to the reporter.
        on_values: Called on the sender thread with the values of the train metrics that came
            back with an acknowledgement.
    """

    def __init__(self, channel: Channel, on_values: Callable[[Mapping[str, float]], None]) -> None:
        self._channel = channel
        self._on_values = on_values
        self._pending: deque[Window | bytes] = deque()
        self._in_flight: deque[tuple[bytes, Future[Mapping[str, float]]]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._give_up_at: float | None = None
        self.sent = 0
        self.acknowledged = 0
        self.dropped = 0
        self.failures = 0
        self._thread = threading.Thread(target=self._run, name="raymon-sender", daemon=True)
        self._thread.start()

    def put(self, window: Window) -> None:
        """Takes a window over; never waits. Past `MAX_PENDING` the oldest is dropped."""
        with self._changed:
            if len(self._pending) >= MAX_PENDING:
                self._pending.popleft()
                self.dropped += 1
            self._pending.append(window)
            self._changed.notify()

    def close(self, timeout_s: float) -> bool:
        """Sends what is left, for at most `timeout_s` seconds; true when all of it arrived."""
        with self._changed:
            self._closing = True
            self._give_up_at = time.monotonic() + timeout_s
            self._changed.notify()
        self._thread.join(timeout_s + _RETRY_S)
        with self._changed:
            lost = len(self._pending) + len(self._in_flight)
            self.dropped += lost
        return lost == 0

    def _run(self) -> None:
        while self._wait_for_work():
            try:
                self._send_pending()
                self._collect()
            except Exception as error:  # nothing that fails here may end the thread
                self._count(error)

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not self._pending and not self._in_flight:
                if self._closing:
                    return False
                self._changed.wait()
        return self._give_up_at is None or time.monotonic() < self._give_up_at

    def _send_pending(self) -> None:
        while len(self._in_flight) < _IN_FLIGHT:
            with self._changed:
                if not self._pending:
                    return
                window = self._pending.popleft()
            message = self._encode(window)
            if message is not None:
                self._in_flight.append((message, self._channel.report(message)))
                self.sent += 1

    def _encode(self, window: Window | bytes) -> bytes | None:
        if isinstance(window, bytes):
            return window
        try:
            return encode_window(window).SerializeToString()
        except Exception as error:
            self.dropped += 1
            self._count(error)
            return None

    def _collect(self) -> None:
        if not self._in_flight:
            return
        _, future = self._in_flight[0]
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
        self._on_values(values)

    def _send_again(self) -> None:
        # Idempotent at the reporter, so what may have arrived can go a second time.
        with self._changed:
            self._pending.extendleft(message for message, _ in reversed(self._in_flight))
        self._in_flight.clear()

    def _count(self, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            _log.warning("monitoring: %s: %s", type(error).__name__, error)
