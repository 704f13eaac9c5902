"""Ranks that get a preemption notice at different steps save at the same step."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.training.loop.preemption import PreemptionWatch
from raymon.training.rank.worker_context import WorkerContext


class _World:
    """Ranks that take turns; a sum is known once all have added their part."""

    def __init__(self, size: int) -> None:
        self.world_size = size
        self._sums: list[list[torch.Tensor]] = []
        self._begun = [0] * size

    def context(self, rank: int) -> WorkerContext:
        return cast(WorkerContext, _Context(self, rank))

    def begin_sum(self, rank: int, values: torch.Tensor) -> Callable[[], torch.Tensor]:
        index = self._begun[rank]
        self._begun[rank] += 1
        if index == len(self._sums):
            self._sums.append([])
        parts = self._sums[index]
        parts.append(values.clone())

        def wait() -> torch.Tensor:
            assert len(parts) == self.world_size, "a rank waits for one that comes after it"
            return torch.stack(parts).sum(0)

        return wait


class _Context:
    def __init__(self, world: _World, rank: int) -> None:
        self.world_size = world.world_size
        self.begin_sum = lambda values: world.begin_sum(rank, values)


class _Questions:
    """Answers that arrive on each rank after a different delay, in steps."""

    def __init__(self, answers: list[str | None], delays: list[int]) -> None:
        self._answers, self._delays = answers, delays
        self._open: list[tuple[int, Future[str | None], str | None]] = []
        self.asked = 0
        self.now = 0

    def ask(self) -> Future[str | None]:
        answer = self._answers[self.asked] if self.asked < len(self._answers) else None
        due = self.now + self._delays[self.asked % len(self._delays)]
        future: Future[str | None] = Future()
        self._open.append((due, future, answer))
        self.asked += 1
        return future

    def tick(self) -> None:
        self.now += 1
        for due, future, answer in self._open:
            if due <= self.now and not future.done():
                future.set_result(answer)


NOTICE, LATER = "node 1 goes", "node 2 goes"


@given(
    answers=st.lists(st.sampled_from([None, NOTICE]), max_size=4).map(
        lambda early: [*early, NOTICE, NOTICE, LATER, LATER]
    ),
    delays=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=4),
)
def test_all_ranks_save_at_the_same_step_once_for_each_notice(
    answers: list[str | None], delays: list[list[int]]
) -> None:
    world = _World(len(delays))
    questions = [_Questions(answers, each) for each in delays]
    watches = [
        PreemptionWatch(world.context(rank), questions[rank].ask, round_s=0.0)
        for rank in range(len(delays))
    ]
    saves: list[list[int]] = [[] for _ in watches]
    for step in range(200):
        for rank, watch in enumerate(watches):
            questions[rank].tick()
            if watch.step():
                saves[rank].append(step)
    assert all(steps == saves[0] for steps in saves)
    assert len(saves[0]) == 2
    assert len({each.asked for each in questions}) == 1


def test_a_round_has_as_many_steps_as_take_its_time() -> None:
    world = _World(1)
    questions = _Questions([], [0])
    watch = PreemptionWatch(world.context(0), questions.ask, round_s=3600.0)
    for _ in range(10_000):
        watch.step()
        questions.tick()
    # Steps of microseconds: after the first ones there is no question for an hour.
    assert questions.asked <= 2
