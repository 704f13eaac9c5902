"""Sends windows in the background, and keeps and resends each until it is durable."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import torch

from raymon.protos.report_pb2 import WindowReport
from raymon.recorder.device_watch import DeviceWatch
from raymon.recorder.failures import Failures
from raymon.recorder.memory import host_bytes
from raymon.recorder.window import Window, encode_window
from raymon.recorder.window_log import WindowLog
from raymon.results import DEVICE_BYTES, HOST_BYTES, DeviceNumbers, Evaluation
from raymon.wire import Ack, Channel, SendingCounter

MAX_KEPT_BYTES = 64 << 20
"""Bytes of windows that a worker keeps while the reporter does not answer; then the oldest go."""

_IN_FLIGHT = 8
"""Messages that may be unanswered at the same time."""

_RETRY_S = 0.5
"""Seconds between a failure and the next attempt to send."""

_ASK_S = 0.5
"""Seconds between two questions about what is durable by now."""

_LOOK_S = 0.1
"""Seconds between two looks for new windows."""

_ASK_AT_END_S = 0.02
"""Seconds in place of `_ASK_S` and `_LOOK_S` once `close` waits."""

_ENCODE_S = 5.0
"""Seconds that windows may take to be encoded before a save is written without them."""

_STORAGE_S = 3.0
"""Seconds that a storage may fail before `close` stops waiting for it."""

Publication = Callable[[Channel], Future[None]]
Work = Callable[[], None]

Unacknowledged = Callable[[], tuple[list[bytes], list[Evaluation]]]
"""Returns windows, as serialized reports, and scores that are not durable."""


@dataclass(eq=False)
class _Report:
    """A window that is on its way; it is kept until it is durable.

    Attributes:
        message: The window.
        size: Its bytes.
        number: Number of what was taken that it is.
    """

    message: WindowReport
    size: int
    number: int

    @property
    def key(self) -> tuple[int, int]:
        return self.message.attempt, self.message.index


@dataclass(eq=False)
class _Publication:
    """A call that publishes something, kept until it is answered.

    Attributes:
        call: Makes the call, given the channel.
        evaluation: Scores that it publishes; None if it publishes something else.
        number: Number of what was taken that it is, once the sender has it.
    """

    call: Publication
    evaluation: Evaluation | None = None
    number: int = 0


@dataclass
class _Question:
    """Asks the reporter what is durable."""


@dataclass
class _Scores:
    """Scores that are waited for by the sender."""

    wait: Callable[[], Evaluation]


@dataclass
class _Work:
    call: Work


class _Mark:
    """A place in what was taken.

    Attributes:
        reached: Set once the sender has had all that was taken before it.
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._number: int | None = None

    def reach(self, number: int) -> None:
        """Is called by the sender, with the number of the mark itself."""
        self._number = number
        self.reached.set()

    def is_after(self, number: int) -> bool:
        """Returns whether something was taken before the mark."""
        return self._number is None or number < self._number


_Item = _Report | _Publication | _Question
_Taken = Window | WindowReport | _Publication | _Scores | _Work


class Outbox:
    """Sends windows and scores in order from a background thread, and resends what failed.

    A window is kept until the reporter has it on the storage of the run: a restarted reporter gets
    again what it may have forgotten.

    Args:
        channel: Connection to the reporter.
        on_ack: Called on the sender thread with every answer of a reporter that takes windows.
        device: Device whose memory and use the windows report; None for the CPU.
        levels: Function that returns, at once, what this process uses and what is left of it, by
            the names of `LEVELS`.

    Attributes:
        acknowledged: Number of windows and publications that the reporter has made durable.
        dropped: Number of windows given up; after `close` also of publications not answered.
    """

    def __init__(
        self,
        channel: Channel,
        on_ack: Callable[[Ack], None],
        device: torch.device | None = None,
        levels: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self._levels = levels
        self._channel = channel
        self._on_ack = on_ack
        self._device = DeviceWatch(device or torch.device("cpu"))
        self._sending = SendingCounter()
        self._log = WindowLog()
        self._taken: deque[_Taken] = deque()
        # Of what was taken, how much the sender has had.
        self._number = 0
        # `_sent` has the windows that were sent and are not durable yet, `_waiting` what has to be
        # sent, both in order. A publication is in `_waiting`, or in flight.
        self._sent: deque[_Report] = deque()
        self._waiting: deque[_Report | _Publication] = deque()
        self._in_flight: deque[tuple[_Item, Future[Any], float]] = deque()
        # Publications that failed, such as scores while the storage of the run fails. They are
        # kept apart so that windows do not wait for them.
        self._failed: deque[_Publication] = deque()
        self._publish_at = 0.0
        self._kept_bytes = 0
        self._next_index = 0
        self._life: str | None = None
        self._asked_at = 0.0
        self._retry_at = 0.0
        self._changed = threading.Condition()
        self._woken = False
        self._closing = False
        self._give_up_at: float | None = None
        # Time since which nothing has become durable, although everything has arrived.
        self._stuck_since: float | None = None
        self.acknowledged = 0
        self.dropped = 0
        self._failures = Failures()
        self._thread = threading.Thread(target=self._run, name="raymon-sender", daemon=True)
        self._thread.start()

    @property
    def failures(self) -> int:
        """Number of failures while windows were encoded and sent."""
        return self._failures.count

    def put(self, window: Window) -> None:
        """Takes a window; never waits. Past `MAX_KEPT_BYTES` the oldest windows are dropped."""
        self._take(window)

    def resend(self, messages: Sequence[bytes]) -> None:
        """Takes windows of an earlier attempt, as `unacknowledged` returned them."""
        for message in messages:
            self._take(WindowReport.FromString(message))

    def work(self, work: Work) -> None:
        """Calls `work` on the sender thread, in order with the windows; never waits."""
        self._take(_Work(work))

    def publish(self, publication: Publication) -> None:
        """Calls `publication` with the channel, in order with the windows; never waits."""
        self._take(_Publication(publication))

    def publish_evaluation(self, evaluation: Evaluation | Callable[[], Evaluation]) -> None:
        """Publishes scores, in order with the windows, until they are durable; never waits.

        Args:
            evaluation: The scores, or a function that waits for them, for the sender thread.
        """
        if isinstance(evaluation, Evaluation):
            self._take(_publication_of(evaluation))
        else:
            self._take(_Scores(evaluation))

    def unacknowledged(self) -> Unacknowledged:
        """Marks what was taken until now; never waits.

        Returns:
            A function that returns what of it is not durable when it is called: windows as
            serialized reports, and scores, in order. It waits until the windows are encoded, so it
            is for a thread other than the training thread.
        """
        mark = _Mark()
        self.work(lambda: mark.reach(self._number))
        return lambda: self._kept_until(mark)

    def _kept_until(self, mark: _Mark) -> tuple[list[bytes], list[Evaluation]]:
        self._wake()
        # Before the mark is reached, nothing that was taken after it is kept.
        mark.reached.wait(_ENCODE_S)
        with self._changed:
            items = (*(item for item, _, _ in self._in_flight), *self._failed, *self._waiting)
            scores = [
                item.evaluation
                for item in items
                if isinstance(item, _Publication) and item.evaluation and mark.is_after(item.number)
            ]
            kept = [
                item.message.SerializeToString()
                for item in (*self._sent, *self._waiting)
                if isinstance(item, _Report) and mark.is_after(item.number)
            ]
        return kept, scores

    def close(self, timeout_s: float) -> bool:
        """Sends what is left.

        If the storage of the run fails, it returns soon after everything has arrived.

        Args:
            timeout_s: Seconds that it may take.

        Returns:
            Whether everything is durable.
        """
        with self._changed:
            self._closing = True
            self._give_up_at = time.monotonic() + timeout_s
            self._wake()
        self._thread.join(timeout_s + _RETRY_S)
        left = len(self._taken) + len(self._sent) + len(self._waiting) + len(self._failed)
        left += sum(isinstance(item, _Publication) for item, _, _ in self._in_flight)
        self.dropped += left
        return left == 0

    def _take(self, item: _Taken) -> None:
        # The thread is not woken: on a machine with idle cores that took 60 us of the caller's
        # time, more than everything else at the end of a window. The thread polls instead.
        self._taken.append(item)

    def _wake(self, *_: object) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def _run(self) -> None:
        while self._wait_for_work():
            try:
                self._device.sample()
                self._encode_taken()
                self._collect()
                self._send_waiting()
                self._ask()
            except Exception as error:  # no failure here may end the thread
                self._count(error)
                self._retry_at = time.monotonic() + _RETRY_S

    def _wait_for_work(self) -> bool:
        with self._changed:
            if not self._woken and not self._taken:
                self._changed.wait(_ASK_AT_END_S if self._closing else _LOOK_S)
            self._woken = False
            if self._closing and not (
                self._taken or self._sent or self._waiting or self._in_flight or self._failed
            ):
                return False
            if self._closing and self._is_stuck():
                return False
        return self._give_up_at is None or time.monotonic() < self._give_up_at

    @property
    def is_stored(self) -> bool:
        """Whether the storage of the run takes what arrives, by the last answer."""
        return self._stuck_since is None

    def _is_stuck(self) -> bool:
        """Returns whether all has arrived, and the storage had `_STORAGE_S` to take it."""
        if self._taken or any(isinstance(item, _Report) for item in self._waiting):
            return False
        since = self._stuck_since
        return since is not None and time.monotonic() - since >= _STORAGE_S

    def _encode_taken(self) -> None:
        # At once, even if it is not sent yet: an encoded window is a hundredth of its tensors.
        while self._taken:
            try:
                self._prepare(self._taken.popleft())
            except Exception as error:
                self._count(error)

    def _prepare(self, item: _Taken) -> None:
        self._number += 1
        if isinstance(item, Window):
            self._encode(item)
        elif isinstance(item, WindowReport):
            self._keep(item)
        elif isinstance(item, _Work):
            item.call()
        else:
            if isinstance(item, _Scores):
                item = _publication_of(item.wait())
            item.number = self._number
            with self._changed:
                self._waiting.append(item)

    def _encode(self, window: Window) -> None:
        # A window that could not be made leaves a gap in the indices: it is counted as dropped.
        self.dropped += window.index - self._next_index
        self._next_index = window.index + 1
        try:
            device = self._take_device()
            memory = {**self._levels(), HOST_BYTES: host_bytes()}
            if device is not None:
                memory[DEVICE_BYTES] = device.max_bytes
            report = encode_window(window, memory)
        except Exception as error:
            self.dropped += 1
            self._count(error)
            return
        report.sending.CopyFrom(self._sending.take())
        for why, count in self._failures.take().items():
            report.failure_reasons[why] += count
        report.failures = sum(report.failure_reasons.values())
        report.host_bytes = int(memory[HOST_BYTES])
        if device is not None:
            report.device.CopyFrom(device.to_message())
        self._keep(report)
        self._log.see(window)

    def _take_device(self) -> DeviceNumbers | None:
        try:
            return self._device.take()
        except Exception as error:  # a window arrives without them too
            self._count(error)
            return None

    def _keep(self, message: WindowReport) -> None:
        report = _Report(message, message.ByteSize(), self._number)
        with self._changed:
            self._waiting.append(report)
            self._kept_bytes += report.size
            while self._kept_bytes > MAX_KEPT_BYTES:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        for queue in (self._sent, self._waiting):
            for i, item in enumerate(queue):
                if isinstance(item, _Report):
                    del queue[i]
                    self._kept_bytes -= item.size
                    self.dropped += 1
                    return

    def _send_waiting(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        if self._failed and time.monotonic() >= self._publish_at:
            with self._changed:
                self._waiting.extendleft(reversed(self._failed))
                self._failed.clear()
        while self._waiting and len(self._in_flight) < _IN_FLIGHT:
            item = self._waiting[0]
            if self._waits_for_earlier_attempt(item):
                return
            if isinstance(item, _Report):
                future: Future[Any] = self._send_report(item)
            else:
                future = item.call(self._channel)
            with self._changed:
                self._waiting.popleft()
                if isinstance(item, _Report):
                    self._sent.append(item)
                self._watch(item, future)

    def _waits_for_earlier_attempt(self, item: _Item) -> bool:
        # The reporter takes the first window of an attempt as a sign that all those of earlier
        # attempts have arrived, so they must arrive first.
        return isinstance(item, _Report) and any(
            isinstance(other, _Report) and other.message.attempt < item.message.attempt
            for other, _, _ in self._in_flight
        )

    def _send_report(self, report: _Report) -> Future[Ack]:
        report.message.first_kept = self._first_kept(report.message)
        report.message.dropped = self.dropped
        message = report.message.SerializeToString()
        self._sending.add_message(len(message), len(self._in_flight) + 1)
        return self._channel.report(message)

    def _watch(self, item: _Item, future: Future[Any]) -> None:
        with self._changed:
            self._in_flight.append((item, future, time.monotonic()))
        future.add_done_callback(self._wake)

    def _first_kept(self, message: WindowReport) -> int:
        # Windows of other ranks are kept too, if a checkpoint of more workers was restored.
        kept = (i.message for i in (*self._sent, *self._waiting) if isinstance(i, _Report))
        return next((m.index for m in kept if _origin(m) == _origin(message)), self._next_index)

    def _collect(self) -> None:
        while self._in_flight and self._in_flight[0][1].done():
            item, future, sent_at = self._in_flight[0]
            try:
                answer = future.result()
            except Exception as error:
                self._count(error)
                with self._changed:
                    self._in_flight.popleft()
                    if isinstance(item, _Publication):
                        self._failed.append(item)
                    else:
                        self._send_again()
                now = time.monotonic()
                if isinstance(item, _Publication):
                    self._publish_at = now + _RETRY_S
                else:
                    self._retry_at = now + _RETRY_S
                continue
            with self._changed:
                self._in_flight.popleft()
            if isinstance(item, _Publication):
                self.acknowledged += 1
            else:
                self._sending.add_answer(time.monotonic() - sent_at)
                self._answered(item, answer)

    def _answered(self, item: _Item, ack: Ack) -> None:
        if ack.refused is not None and isinstance(item, _Report):
            self._refused(item, ack.refused)
        if self._life not in (None, ack.life) or not ack.begun:
            # The reporter restarted, and has forgotten what was not durable.
            self._send_again()
        self._life = ack.life
        if not ack.storage_fails:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = time.monotonic()
        self._settle(ack)
        if ack.begun:
            self._on_ack(ack)
        else:
            self._retry_at = time.monotonic() + _RETRY_S

    def _settle(self, ack: Ack) -> None:
        with self._changed:
            kept = deque(report for report in self._sent if not ack.settles(*report.key))
            settled = len(self._sent) - len(kept)
            self._sent = kept
            # A window that waits to be resent may be durable already, since the first send.
            still = [
                item
                for item in self._waiting
                if isinstance(item, _Publication) or not ack.settles(*item.key)
            ]
            settled += len(self._waiting) - len(still)
            self._waiting = deque(still)
            self.acknowledged += settled
            self._kept_bytes = sum(
                item.size for item in (*kept, *still) if isinstance(item, _Report)
            )

    def _refused(self, report: _Report, why: str) -> None:
        with self._changed:
            if report in self._sent:
                self._sent.remove(report)
                self._kept_bytes -= report.size
                self.dropped += 1
        self._count(ValueError(f"the reporter refused a window: {why}"))

    def _send_again(self) -> None:
        # The reporter ignores duplicates, so what may have arrived can be sent again.
        with self._changed:
            self._waiting.extendleft(reversed(self._sent))
            self._sent.clear()

    def _ask(self) -> None:
        if self._in_flight or self._waiting or not self._sent:
            return
        now = time.monotonic()
        if now - self._asked_at >= (_ASK_AT_END_S if self._closing else _ASK_S):
            self._asked_at = now
            self._watch(_Question(), self._channel.acknowledged())

    def _count(self, error: Exception) -> None:
        self._failures.add(error)


def _publication_of(evaluation: Evaluation) -> _Publication:
    return _Publication(lambda channel: channel.publish_evaluation(evaluation), evaluation)


def _origin(message: WindowReport) -> tuple[int, tuple[int, ...]]:
    return message.attempt, tuple(message.ranks)
