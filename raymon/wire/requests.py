"""Requests to the ranks of a run, which travel with the answers of the reporter."""

from __future__ import annotations

from dataclasses import dataclass

STOP, PROFILE = "stop", "profile"


@dataclass(frozen=True)
class Profiling:
    """Steps to be traced.

    Attributes:
        steps: Number of steps.
        ranks: Ranks that trace them; empty for all.
        shapes: Whether the shapes of the inputs of operations are recorded.
        stacks: Whether the Python stacks of operations are recorded.
        memory: Whether allocations are recorded.
    """

    steps: int
    ranks: tuple[int, ...] = ()
    shapes: bool = False
    stacks: bool = False
    memory: bool = False

    def has(self, rank: int) -> bool:
        """Returns whether a rank traces."""
        return not self.ranks or rank in self.ranks


@dataclass(frozen=True)
class RankRequest:
    """What all ranks of a run are asked to do at one and the same step.

    Attributes:
        number: Number of the request; a later one has a larger number. Below 2^53.
        kind: `STOP` or `PROFILE`.
        profiling: Steps to be traced, of `PROFILE`.
    """

    number: int
    kind: str
    profiling: Profiling | None = None


@dataclass(frozen=True)
class RankAnswer:
    """What a rank did that was asked for.

    Attributes:
        number: Number of the request.
        rank: Rank that answers.
        host: Name of its machine.
        step: Steps that the model had made when the rank began to do it.
        end_step: Steps that it had made at the end of it.
        failure: Why it is not done; None if it is.
    """

    number: int
    rank: int
    host: str
    step: int
    end_step: int
    failure: str | None = None
