"""The attempts of a run: its start, and each restart of its workers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    """An attempt, as `run.json` has it.

    Attributes:
        attempt: Its number, from 1.
        time: Seconds since 1970, UTC, at its start.
        world_size: Number of its ranks.
        step: Step that it began at: what was reported past it was rolled back.
        end_step: Step that it reached; None while it goes on.
        failure: What ended it, in one line; None if it goes on, or ended well.
    """

    attempt: int
    time: float
    world_size: int
    step: int
    end_step: int | None = None
    failure: str | None = None
