"""Whether a rank waits for others, as its heartbeats say it."""

from __future__ import annotations

import threading

import pytest
import torch

from raymon.results import CHECKPOINT, DATA, EVALUATION
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext


@pytest.fixture
def context() -> WorkerContext:
    """A world of one rank."""
    return WorkerContext(0, 1, torch.device("cpu"), LocalController())


def test_a_rank_waits_in_its_collectives_but_not_where_it_works_in_one(
    context: WorkerContext,
) -> None:
    context.clock.enter(EVALUATION)
    assert not context.waits()
    with context.in_collective():
        assert context.waits()
        with context.at_work():
            assert not context.waits()
        assert context.waits()
    assert not context.waits()


def test_a_thread_that_writes_a_save_makes_its_rank_wait_in_the_save_alone(
    context: WorkerContext,
) -> None:
    writes, over = context.background_context(), threading.Event()
    begun = threading.Event()

    def write() -> None:
        with writes.in_collective():
            begun.set()
            over.wait()

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    context.clock.enter(DATA)
    assert not context.waits()
    context.clock.enter(CHECKPOINT)
    assert context.waits()
    over.set()
    thread.join()
    assert not context.waits()
