"""The controller of a run: it keeps account of checkpoints, and hears of preemption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from raymon.storage import StoragePath


class SavedCheckpoint(Protocol):
    """What is said of a complete checkpoint."""

    @property
    def path(self) -> StoragePath:
        """Its directory."""

    @property
    def step(self) -> int:
        """Steps that the model has made."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Its scores, by name."""


class RunController(Protocol):
    """Keeps account of the checkpoints of a run, and hears of nodes that are taken away.

    Every rank calls it on its training thread, at the same steps and so in the same order; no call
    waits for the controller but `close`.
    """

    def begin(self, checkpoints: Sequence[SavedCheckpoint]) -> None:
        """Takes account of complete checkpoints, before anything else.

        Args:
            checkpoints: Those up to the one that the run goes on from, by step; what is known of
                later ones is forgotten.
        """

    def register(
        self,
        directory: str,
        step: int,
        scores: Mapping[str, float],
        failure: Future[str | None],
    ) -> None:
        """Takes account of a checkpoint once it is complete.

        Args:
            directory: The path or URI of the checkpoint.
            step: Steps that the model has made.
            scores: Scores of the evaluation at that step, by name; empty where there was none.
            failure: Why the checkpoint could not be saved, once it is known; None where it is
                complete. The same on every rank.
        """

    def ask_for_preemption(self) -> Future[str | None]:
        """Asks whether nodes with ranks of this run are to be taken away.

        Returns:
            The answer, the same on every rank: a text, or None where no notice is known. It comes
            after what was asked for before.
        """

    def close(self) -> None:
        """Waits until every checkpoint is registered."""


class LocalController:
    """The controller of a run in one process, whose directory says all there is to know."""

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
        """Answers at once: nobody takes this process away and says so beforehand."""
        answer: Future[str | None] = Future()
        answer.set_result(None)
        return answer

    def close(self) -> None:
        """Does nothing."""
