"""The controller of a run: it tracks checkpoints, and gets notices of preemption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from raymon.storage import StoragePath


class SavedCheckpoint(Protocol):
    """A complete checkpoint."""

    @property
    def path(self) -> StoragePath:
        """The directory of the checkpoint."""

    @property
    def step(self) -> int:
        """The steps that the model has made."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """The scores by name."""


class RunController(Protocol):
    """Tracks the checkpoints of a run, and gets notices of nodes that are taken away.

    Every rank calls it on its training thread, at the same steps and so in the same order. No call
    but `close` waits for the controller.
    """

    def begin(self, checkpoints: Sequence[SavedCheckpoint]) -> None:
        """Takes the checkpoints that are already complete, before anything else.

        Args:
            checkpoints: Checkpoints up to the one that the run goes on from, by step; later ones
                are forgotten.
        """

    def register(
        self,
        directory: str,
        step: int,
        scores: Mapping[str, float],
        failure: Future[str | None],
    ) -> None:
        """Registers a checkpoint once it is complete.

        Args:
            directory: Path or URI of the checkpoint.
            step: Steps that the model has made.
            scores: Scores of the evaluation at that step, by name; empty if there was none.
            failure: Future of why the checkpoint could not be saved, with None if it is complete.
                The same on every rank.
        """

    def ask_for_preemption(self) -> Future[str | None]:
        """Asks whether nodes with ranks of this run are to be taken away.

        Returns:
            Future of the answer, the same on every rank: a text, or None if there is no notice. It
            comes after the answers to earlier questions.
        """

    def close(self) -> None:
        """Waits until every checkpoint is registered."""


class LocalController:
    """The controller of a run in one process, whose directory has all that is known."""

    def begin(self, checkpoints: Sequence[SavedCheckpoint]) -> None:
        """Does nothing: the checkpoints are in the directory."""

    def register(
        self,
        directory: str,
        step: int,
        scores: Mapping[str, float],
        failure: Future[str | None],
    ) -> None:
        """Does nothing: the checkpoint will be in the directory."""

    def ask_for_preemption(self) -> Future[str | None]:
        """Answers None at once: nobody announces that this process is taken away."""
        answer: Future[str | None] = Future()
        answer.set_result(None)
        return answer

    def close(self) -> None:
        """Does nothing."""
