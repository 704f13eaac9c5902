"""The Python stacks of the ranks of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from raymon.results import RankState
from raymon.training.rank.stacks import StackDump, own_stacks

_AT_ONCE = 8

_MOST = 16
"""Ranks whose stacks are taken if it is not said which."""

TakeStacks = Callable[[str, int], StackDump]
"""Takes the stacks of a process, given its node and its id."""


def stacks_here(ranks: Sequence[int]) -> Mapping[str, str]:
    """Returns the stacks of this process, which is rank 0 alone.

    Args:
        ranks: Ranks that are asked for; empty for all.

    Raises:
        ValueError: The run has no such rank.
    """
    _check(ranks, 1)
    return {"0": own_stacks().text}


def stacks_of_ranks(
    ranks: Sequence[int], states: Sequence[RankState], take: TakeStacks
) -> Mapping[str, str]:
    """Returns the stacks of ranks, by rank; in place of those that cannot be taken, why.

    Args:
        ranks: Ranks that are asked for; empty for all, or the first of many.
        states: What is known of each rank.
        take: Takes the stacks of a process.

    Raises:
        ValueError: The run has no such rank.
        RuntimeError: No rank is known.
    """
    if not states:
        raise RuntimeError("no worker trains yet; ask again later")
    _check(ranks, len(states))
    asked = ranks or range(min(len(states), _MOST))

    def text(rank: int) -> str:
        state = states[rank]
        if not state.pid:
            return "not known yet where it runs; ask again in a few seconds"
        dump = take(state.node_id, state.pid)
        return f"process {state.pid} on {state.host}, by {dump.way or 'nothing'}\n{dump.text}"

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(map(str, asked), pool.map(text, asked), strict=True))


def _check(ranks: Sequence[int], world: int) -> None:
    beyond = [rank for rank in ranks if not 0 <= rank < world]
    if beyond:
        there = "rank 0 alone" if world == 1 else f"ranks 0 to {world - 1}"
        raise ValueError(f"--rank {beyond[0]}: the run has {there}")
