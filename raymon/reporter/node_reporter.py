"""A reporter on a node: merges the windows of its ranks, and hands them on as one."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from raymon.protos.report_pb2 import WindowReport
from raymon.recorder import Outbox
from raymon.reporter.reporter import parse_report
from raymon.reporter.windows.collation import Attempt, Collation
from raymon.results import Evaluation
from raymon.wire import Ack, Channel, WindowChannel


class NodeReporter:
    """Merges the windows of the ranks of one node, so that what comes to the reporter of the run
    does not grow with the ranks of a node.

    It keeps a merged window until the reporter of the run has it on its storage, and its ranks
    keep theirs until then: one that dies takes nothing with it. Not safe for threads.

    Args:
        attempt: Of which the windows are; those of earlier ones are handed on as they are.
        ranks: How many ranks of the node there are.
        channel: The way to the reporter of the run.
        late_after_s: Seconds after which a window is handed on without the ranks that it lacks,
            and later once more with them.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        attempt: Attempt,
        ranks: int,
        channel: Channel,
        late_after_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attempt = attempt
        self._collation = Collation(attempt, ranks=ranks)
        self._late_after_s = late_after_s
        self._clock = clock
        self._handed_on_late_at = -float("inf")
        self._life = uuid.uuid4().hex
        # Of the reporter of the run; what it has said is durable. Before its first word nothing is,
        # of no attempt.
        self._newest = Ack(self._life, attempt=0, durable={attempt.number: 0})
        self._acks = threading.Lock()
        self._outbox = Outbox(channel, self._take_ack)

    def report(self, message: bytes) -> Ack:
        """As `Reporter.report`."""
        try:
            report = parse_report(message)
            if report.attempt != self._attempt.number:
                self._outbox.resend([message])
                return self._ack()
            self._collation.add(report, self._clock())
        except Exception as error:  # whatever bytes may come
            return self._ack(refused=str(error))
        for window in self._collation.take_complete():
            self._hand_on(window.to_message())
        return self._ack()

    def acknowledged(self) -> Ack:
        """As `Reporter.acknowledged`."""
        now, since = self._clock(), self._collation.waits_since
        if since is not None and now - max(since, self._handed_on_late_at) >= self._late_after_s:
            self._handed_on_late_at = now
            for window in self._collation.incomplete():
                self._hand_on(window.to_message())
        return self._ack()

    def close(self, timeout_s: float) -> bool:
        """Hands on what is left for at most `timeout_s` seconds; true if all of it is durable."""
        return self._outbox.close(timeout_s)

    def _hand_on(self, report: WindowReport) -> None:
        self._outbox.resend([report.SerializeToString()])

    def _take_ack(self, ack: Ack) -> None:
        with self._acks:
            self._newest = ack

    def _ack(self, refused: str | None = None) -> Ack:
        with self._acks:
            return replace(self._newest, life=self._life, refused=refused)


class NodeChannel:
    """The way of a rank: by the reporter of its node, or straight to that of the run without one.

    Args:
        node: The reporter of the node.
        root: The reporter of the run.
    """

    def __init__(self, node: WindowChannel, root: Channel) -> None:
        self._way: WindowChannel = node
        self._root = root

    def report(self, message: bytes) -> Future[Ack]:
        """As `Channel.report`."""
        return self._watched(self._way.report(message))

    def acknowledged(self) -> Future[Ack]:
        """As `Channel.acknowledged`."""
        return self._watched(self._way.acknowledged())

    def publish_evaluation(self, evaluation: Evaluation) -> Future[None]:
        """Sends scores straight to the reporter of the run."""
        return self._root.publish_evaluation(evaluation)

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        """Sends a line straight to the reporter of the run."""
        return self._root.publish_notice(text, level)

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """Tells the reporter of the run how far an evaluation is."""
        return self._root.publish_evaluation_progress(step, done, total, seconds)

    def _watched(self, answer: Future[Ack]) -> Future[Ack]:
        answer.add_done_callback(self._leave_the_dead)
        return answer

    def _leave_the_dead(self, answer: Future[Ack]) -> None:
        if answer.exception() is not None:
            self._way = self._root
