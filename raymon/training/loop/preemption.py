"""A save just in time, where the cluster says beforehand that it takes a node away."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future

import torch

from raymon.training.rank.worker_context import WorkerContext

_MOST_STEPS = 100_000


class PreemptionWatch:
    """Learns, at the same step on all ranks, that a node with some of them is to be taken away.

    The register is asked about every other round, beside the steps. Ranks hear its answer at
    different steps, so they tell each other, beside the steps too, and act on what they told one
    round before, when all have heard it.

    Args:
        context: The world of this rank.
        ask: Begins to ask whether a node is to be taken away: all ranks ask in the same order and
            get the same answer, a text, or None.
        round_s: Seconds of the steps of a round, which are the same on all ranks.

    Attributes:
        notice: What was answered last.
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
        self._told: Callable[[], torch.Tensor] | None = None
        self._heard = self._acted = 0
        self._round, self._steps = 1, 0
        self._began = time.monotonic()
        self.notice: str | None = None

    def step(self) -> bool:
        """Takes note of a step; true where the state after it is to be saved."""
        self._steps += 1
        if self._steps < self._round:
            return False
        seconds = (time.monotonic() - self._began) / self._steps
        act, all_answered = False, True
        if self._told is not None:
            heard, asking, seconds_of_all = self._told().tolist()
            act, all_answered = heard >= self._context.world_size * (self._acted + 1), asking == 0
            self._acted += act
            mean_s = max(seconds_of_all / self._context.world_size, 1e-9)
            self._round = min(max(1, round(self._round_s / mean_s)), _MOST_STEPS)
        self._hear()
        if all_answered:
            self._question = self._ask()
        word = (self._heard, self._question is not None, seconds)
        self._told = self._context.begin_sum(torch.tensor(word, dtype=torch.float64))
        self._steps, self._began = 0, time.monotonic()
        return act

    def _hear(self) -> None:
        if self._question is None or not self._question.done():
            return
        answer, self._question = self._question.result(), None
        if answer is not None and answer != self.notice:
            self._heard += 1
            self.notice = answer
