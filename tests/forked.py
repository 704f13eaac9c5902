"""Processes that are forked off one that has imported what they need, which takes six seconds."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from functools import cache
from multiprocessing import forkserver, spawn
from multiprocessing.context import ForkServerContext
from typing import Any

from tests.installed import python_of_tests

_IMPORTED = (
    "raymon.embeddings.sharded.tables",
    "tests.embeddings.sharded.rank",
    "tests.training.rank_process",
)


def run_ranks(target: Callable[..., object], arguments: Iterable[tuple[Any, ...]]) -> None:
    """Runs a function once in each of several processes at a time, to their ends.

    Args:
        target: Function of a module.
        arguments: Its arguments, for each of the processes.

    Raises:
        AssertionError: A process did not end, or not with exit code 0.
    """
    context = _context()
    ranks = [context.Process(target=target, args=given) for given in arguments]
    for rank in ranks:
        rank.start()
    try:
        for rank in ranks:
            rank.join(300)
        assert [rank.exitcode for rank in ranks] == [0] * len(ranks)
    finally:
        for rank in ranks:
            rank.kill()


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_IMPORTED])
    # What other tests start runs on the Python of the tests.
    before = spawn.get_executable()
    spawn.set_executable(python_of_tests())
    forkserver.ensure_running()
    spawn.set_executable(before)
    return context
