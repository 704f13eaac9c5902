"""The register of checkpoints of a run without Ray, which keeps none beyond the directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from raymon.training.rank.worker_context import SavedCheckpoint


class LocalRegister:
    """Keeps account of checkpoints where Ray does not: a run without workers, whose directory says
    all there is to know."""

    def begin(self, checkpoints: Sequence[SavedCheckpoint]) -> None:
        """They are in the directory."""

    def register(self, directory: str, step: int, scores: Mapping[str, float]) -> None:
        """It is in the directory."""

    def ask_for_preemption(self) -> Future[str | None]:
        """Nobody takes this process away and says so beforehand."""
        answer: Future[str | None] = Future()
        answer.set_result(None)
        return answer

    def close(self) -> None:
        """Nothing is left to do."""
