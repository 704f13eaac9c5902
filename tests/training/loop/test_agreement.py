"""Ranks that hear of a preemption or a request at different steps act at the same step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.training.loop.agreement import Agreement, Inbox
from raymon.training.rank.worker_context import WorkerContext
from raymon.wire import PROFILE, STOP, Ack, RankRequest

NOTICE, LATER = "node 1 goes", "node 2 goes"


class _World:
    """Ranks that take turns; the least is known once all have added their part."""

    def __init__(self, size: int) -> None:
        self.world_size = size
        self._parts: list[list[torch.Tensor]] = []
        self._begun = [0] * size

    def context(self, rank: int) -> WorkerContext:
        return cast(WorkerContext, _Context(self, rank))

    def begin_min(self, rank: int, values: torch.Tensor) -> Callable[[], torch.Tensor]:
        index = self._begun[rank]
        self._begun[rank] += 1
        if index == len(self._parts):
            self._parts.append([])
        parts = self._parts[index]
        parts.append(values.clone())

        def wait() -> torch.Tensor:
            assert len(parts) == self.world_size, "a rank waits for one that comes after it"
            return torch.stack(parts).amin(0)

        return wait


class _Context:
    def __init__(self, world: _World, rank: int) -> None:
        self.world_size = world.world_size
        self.begin_min = lambda values: world.begin_min(rank, values)


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


@settings(max_examples=40)
@given(
    heard=st.lists(st.tuples(st.integers(0, 15), st.integers(15, 40)), min_size=1, max_size=4),
    notices=st.lists(st.integers(0, 30), min_size=1, max_size=3),
)
def test_all_ranks_act_on_a_request_at_the_same_step(
    heard: list[tuple[int, int]], notices: list[int]
) -> None:
    traced, stop = RankRequest(7, PROFILE), RankRequest(8, STOP)
    world = _World(len(heard))
    questions = [_Questions([None, NOTICE], notices) for _ in heard]
    inboxes = [Inbox() for _ in heard]
    ranks = [
        Agreement(world.context(rank), questions[rank].ask, inboxes[rank], round_s=0.0)
        for rank in range(len(heard))
    ]
    acted: list[list[tuple[int, RankRequest]]] = [[] for _ in heard]
    for step in range(60):
        for rank, agreement in enumerate(ranks):
            questions[rank].tick()
            first, then = heard[rank]
            if step >= first:
                # The sender hears of it with every answer.
                inboxes[rank].take(Ack("a", 1, request=traced if step < then else stop))
            agreed = agreement.step()
            if agreed is not None and agreed.request is not None:
                acted[rank].append((step, agreed.request))
    stops = [[step for step, request in each if request == stop] for each in acted]
    assert all(steps == stops[0] and len(steps) == 1 for steps in stops)
    # The first of them may be replaced before every rank has heard it; else all act on it too.
    if all(first <= 15 < 20 <= then for first, then in heard):
        assert all(each == acted[0] and len(each) == 2 for each in acted)
    assert all(request in (traced, stop) for each in acted for _, request in each)


def test_a_request_that_is_told_again_is_acted_on_once() -> None:
    inbox = Inbox()
    agreement = Agreement(_World(1).context(0), _Questions([], [0]).ask, inbox, round_s=0.0)
    for _ in range(50):
        inbox.take(Ack("a", 1, request=RankRequest(3, PROFILE)))
        inbox.take(Ack("a", 1))
        if (agreed := agreement.step()) is not None:
            assert agreed.request == RankRequest(3, PROFILE)
            break
    for _ in range(50):
        inbox.take(Ack("b", 1, request=RankRequest(3, PROFILE)))
        assert agreement.step() is None


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
        Agreement(world.context(rank), questions[rank].ask, Inbox(), round_s=0.0)
        for rank in range(len(delays))
    ]
    saves: list[list[int]] = [[] for _ in watches]
    for step in range(200):
        for rank, watch in enumerate(watches):
            questions[rank].tick()
            agreed = watch.step()
            if agreed is not None:
                assert agreed.saves
                assert agreed.request is None
                saves[rank].append(step)
    assert all(steps == saves[0] for steps in saves)
    assert len(saves[0]) == 2
    assert len({each.asked for each in questions}) == 1


def test_a_round_has_as_many_steps_as_take_its_time() -> None:
    world = _World(1)
    questions = _Questions([], [0])
    watch = Agreement(world.context(0), questions.ask, Inbox(), round_s=3600.0)
    for _ in range(10_000):
        watch.step()
        questions.tick()
    # Steps of microseconds: after the first ones there is no question for an hour.
    assert questions.asked <= 2


def test_a_trace_is_heard_of_once_it_is_prepared_and_a_stop_at_once() -> None:
    ready, prepared = threading.Event(), threading.Event()

    def prepare(request: RankRequest) -> None:
        ready.wait()
        prepared.set()

    inbox = Inbox(prepare)
    inbox.take(Ack("a", 1, request=RankRequest(1, PROFILE)))
    assert inbox.newest is None
    inbox.take(Ack("a", 1, request=RankRequest(2, STOP)))
    assert inbox.newest == RankRequest(2, STOP)
    ready.set()
    prepared.wait()
    inbox.take(Ack("a", 1, request=RankRequest(3, PROFILE)))
    while inbox.newest == RankRequest(2, STOP):
        time.sleep(0.001)
    assert inbox.newest == RankRequest(3, PROFILE)
