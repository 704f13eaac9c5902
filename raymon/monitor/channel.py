"""The way from a worker to the reporter."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raymon.sinks import Evaluation


class Channel(Protocol):
    """Carries messages to a reporter. Calls return at once; the future is the acknowledgement."""

    def report(self, message: bytes) -> Future[Mapping[str, float]]:
        """Sends a serialised `WindowReport`.

        The result, once the reporter has the window, is the values of the train metrics by name
        as the reporter last computed them.
        """

    def publish_evaluation(self, evaluation: Evaluation) -> Future[None]:
        """Sends the scores of an evaluation."""

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """Says that the evaluation at `step` made `done` of `total` steps in `seconds`."""
