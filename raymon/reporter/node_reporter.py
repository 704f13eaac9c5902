"""The reporter of a node: merges the windows of its ranks and passes them on as one."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from raymon.protos.report_pb2 import WindowReport
from raymon.recorder import BEAT_S, Outbox
from raymon.reporter.node_beats import NodeBeats
from raymon.reporter.reporter import parse_report
from raymon.reporter.windows.collation import Attempt, Collation
from raymon.results import CheckpointSaved, Evaluation
from raymon.wire import Ack, Channel, NodeLink, RankAnswer


class NodeReporter:
    """Merges the windows of the ranks of one node.

    The load on the reporter of the run then does not grow with the ranks of a node. A merged window
    is kept until it is durable, and the ranks keep theirs until then as well, so no window is lost
    if a node reporter dies. Not thread-safe.

    Args:
        attempt: Attempt whose windows are merged; those of earlier ones are passed on unchanged.
        ranks: Number of ranks on the node.
        channel: Channel to the reporter of the run.
        late_after_s: Seconds after which an incomplete window is passed on; it is passed on again
            when it is complete.
        clock: Monotonic clock, in seconds.
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
        # The newest answer of the reporter of the run, which says what is durable: nothing before
        # the first answer.
        self._newest = Ack(self._life, attempt=0, durable={attempt.number: 0})
        self._acks = threading.Lock()
        self._outbox = Outbox(channel, self._take_ack)
        self._channel = channel
        self._beats = NodeBeats(BEAT_S)

    def report(self, message: bytes) -> Ack:
        """Takes a serialised `WindowReport` of a rank of the node.

        Returns:
            What is durable on the storage of the run.
        """
        try:
            report = parse_report(message)
            if report.attempt != self._attempt.number:
                self._outbox.resend([message])
                return self._ack()
            self._collation.add(report, self._clock())
        except Exception as error:  # the bytes may be anything
            return self._ack(refused=str(error))
        for window in self._collation.take_complete():
            self._pass_on(window.to_message())
        return self._ack()

    def beat(self, message: bytes) -> Ack:
        """Takes serialised `Heartbeats`, and passes them on with those of the other ranks."""
        try:
            merged = self._beats.add(message, self._clock())
            if merged is not None:
                self._channel.beat(merged).add_done_callback(self._hear_request)
        except Exception as error:  # the bytes may be anything
            return self._ack(refused=str(error))
        return self._ack()

    def acknowledged(self) -> Ack:
        """Returns what is durable by now, and passes on windows that are late."""
        now, since = self._clock(), self._collation.waits_since
        if since is not None and now - max(since, self._handed_on_late_at) >= self._late_after_s:
            self._handed_on_late_at = now
            for window in self._collation.incomplete():
                self._pass_on(window.to_message())
        return self._ack()

    def close(self, timeout_s: float) -> bool:
        """Passes on what is left, for at most `timeout_s` seconds.

        Returns:
            Whether all of it is durable.
        """
        return self._outbox.close(timeout_s)

    def _pass_on(self, report: WindowReport) -> None:
        self._outbox.resend([report.SerializeToString()])

    def _take_ack(self, ack: Ack) -> None:
        with self._acks:
            self._newest = ack

    def _hear_request(self, answer: Future[Ack]) -> None:
        # Windows may be long, and ranks are to hear soon what they are asked to do.
        if answer.exception() is None:
            with self._acks:
                self._newest = replace(self._newest, request=answer.result().request)

    def _ack(self, refused: str | None = None) -> Ack:
        with self._acks:
            return replace(self._newest, life=self._life, refused=refused)


class NodeChannel:
    """The channel of a rank: through the reporter of its node, or directly once that has failed.

    Args:
        node: Channel to the reporter of the node.
        root: Channel to the reporter of the run.
    """

    def __init__(self, node: NodeLink, root: Channel) -> None:
        self._windows: NodeLink = node
        self._root = root

    def report(self, message: bytes) -> Future[Ack]:
        """Sends a serialised `WindowReport`; returns at once."""
        return self._watched(self._windows.report(message))

    def acknowledged(self) -> Future[Ack]:
        """Asks what is durable by now; returns at once."""
        return self._watched(self._windows.acknowledged())

    def beat(self, message: bytes) -> Future[Ack]:
        """Sends serialised `Heartbeats`; returns at once."""
        return self._watched(self._windows.beat(message))

    def publish_evaluation(self, evaluation: Evaluation) -> Future[None]:
        """Sends scores directly to the reporter of the run."""
        return self._root.publish_evaluation(evaluation)

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        """Sends a notice directly to the reporter of the run."""
        return self._root.publish_notice(text, level)

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """Sends the progress of an evaluation directly to the reporter of the run."""
        return self._root.publish_evaluation_progress(step, done, total, seconds)

    def publish_checkpoint(self, checkpoint: CheckpointSaved) -> Future[None]:
        """Sends that a checkpoint is complete directly to the reporter of the run."""
        return self._root.publish_checkpoint(checkpoint)

    def answer_request(self, answer: RankAnswer) -> Future[None]:
        """Sends an answer directly to the reporter of the run."""
        return self._root.answer_request(answer)

    def _watched(self, answer: Future[Ack]) -> Future[Ack]:
        answer.add_done_callback(self._fall_back)
        return answer

    def _fall_back(self, answer: Future[Ack]) -> None:
        if answer.exception() is not None:
            self._windows = self._root
