"""What happened to a run, for the axis of its curves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """Something that happened at a step.

    Attributes:
        kind: One of `restart`, `roll_back`, `checkpoint`, `best`, `alert`, `alert_over` and
            `evaluation`.
        step: Step of the run.
        time: Seconds since 1970, UTC; None if it is not known.
        text: What happened, in a line.
    """

    kind: str
    step: int
    time: float | None
    text: str
