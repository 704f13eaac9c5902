"""Saves a checkpoint before a node is taken away, if the cluster announces it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future

import torch

from raymon.training.rank.worker_context import WorkerContext

_MOST_STEPS = 100_000


class PreemptionWatch:
    """Lets all ranks act at the same step on a notice that one of their nodes will be taken away.

    About every other round the controller is asked, in the background. Ranks get its answer at
    different steps, so they exchange in each round, also in the background, whether they have it,
    and act one round after all have it.

    Args:
        context: World of this rank.
        ask: Function that asks in the background whether a node will be taken away. All ranks ask
            in the same order and get the same answer, a text, or None.
        round_s: Seconds that the steps of a round should take. All ranks make the same number of
            steps in a round.

    Attributes:
        notice: The newest answer that was a text; None if there was none.
    """

    def __init__(
        self,
        context: WorkerContext,
        ask: Callable[[], Future[str | None]],
        round_s: float = 1.0,
    ) -> None:
        self._context = context
        self._ask = ask
        self._round_s = round_s
        self._question: Future[str | None] | None = None
        self._exchanged: Callable[[], torch.Tensor] | None = None
        # Notices that this rank has heard, and that all ranks have acted on.
        self._heard = self._acted = 0
        # Steps of a round, and steps of this round so far.
        self._round, self._steps = 1, 0
        self._began = time.monotonic()
        self.notice: str | None = None

    def step(self) -> bool:
        """Counts a step; returns whether the state after it has to be saved now."""
        self._steps += 1
        if self._steps < self._round:
            return False
        seconds = (time.monotonic() - self._began) / self._steps
        act, all_answered = False, True
        if self._exchanged is not None:
            heard, asking, seconds_of_all = self._exchanged().tolist()
            act, all_answered = heard >= self._context.world_size * (self._acted + 1), asking == 0
            self._acted += act
            mean_s = max(seconds_of_all / self._context.world_size, 1e-9)
            self._round = min(max(1, round(self._round_s / mean_s)), _MOST_STEPS)
        self._hear()
        if all_answered:
            self._question = self._ask()
        own = (self._heard, self._question is not None, seconds)
        self._exchanged = self._context.begin_sum(torch.tensor(own, dtype=torch.float64))
        self._steps, self._began = 0, time.monotonic()
        return act

    def _hear(self) -> None:
        if self._question is None or not self._question.done():
            return
        answer, self._question = self._question.result(), None
        if answer is not None and answer != self.notice:
            self._heard += 1
            self.notice = answer
