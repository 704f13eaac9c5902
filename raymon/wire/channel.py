"""The channel from a worker to the reporter."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from raymon.wire.requests import RankAnswer, RankRequest

if TYPE_CHECKING:
    from raymon.results import CheckpointSaved, Evaluation


@dataclass(frozen=True)
class Ack:
    """The answer of a reporter.

    Attributes:
        life: Id of the reporter's process. It changes with a restart, after which the reporter may
            have forgotten windows that were not durable.
        attempt: Number of the attempt that is going on; 0 if there is none.
        begun: False while the reporter cannot take windows, as right after a start.
        durable: Index of the first window that is not on the storage of the run yet, by attempt
            that may still change. Windows of all earlier attempts are settled.
        values: Values of the train metrics by name, as the reporter last computed them.
        refused: Why the message was not taken and never will be; None if it was taken.
        storage_fails: Whether the last write to the storage of the run failed, so that windows that
            were taken do not become durable. They are in the numbers all the same.
        request: What the ranks are asked to do, or were asked last; None if nothing is.
    """

    life: str
    attempt: int
    begun: bool = True
    durable: Mapping[int, int] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    refused: str | None = None
    storage_fails: bool = False
    request: RankRequest | None = None

    def settles(self, attempt: int, index: int) -> bool:
        """Returns whether the sender may forget a window: it is durable, or its attempt is over."""
        if attempt in self.durable:
            return index < self.durable[attempt]
        return attempt < self.attempt and self.begun


class WindowChannel(Protocol):
    """A channel that carries windows to a reporter; calls return at once."""

    def report(self, message: bytes) -> Future[Ack]:
        """Sends a serialised `WindowReport`.

        A window that was taken is not durable yet: `Ack.durable` says what is.
        """

    def acknowledged(self) -> Future[Ack]:
        """Asks what is durable by now."""


class BeatChannel(Protocol):
    """A channel that carries heartbeats to a reporter; calls return at once."""

    def beat(self, message: bytes) -> Future[Ack]:
        """Sends serialised `Heartbeats`, which say where ranks are at this moment."""


class NodeLink(WindowChannel, BeatChannel, Protocol):
    """A channel to the reporter of a node."""


class Channel(NodeLink, Protocol):
    """A channel that carries everything that a worker sends; calls return at once."""

    def publish_evaluation(self, evaluation: Evaluation) -> Future[None]:
        """Sends the scores of an evaluation.

        The future is done when they are on the storage of the run.
        """

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        """Sends a line that is shown to those who watch the run, by default as a warning."""

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """Sends the progress of the evaluation at `step`: `done` of `total` steps in `seconds`."""

    def publish_checkpoint(self, checkpoint: CheckpointSaved) -> Future[None]:
        """Sends that a checkpoint is complete."""

    def answer_request(self, answer: RankAnswer) -> Future[None]:
        """Sends what this rank did that `Ack.request` asked for."""
