"""Events of a run that are no numbers: a checkpoint, and the end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckpointSaved:
    """A complete checkpoint.

    Attributes:
        step: Steps that its model has made.
        path: Directory of the checkpoint, or its URI; None if it is not known.
        began: Seconds since 1970, UTC, at which the save began, by the clock of rank 0.
        seconds: Seconds from there until the checkpoint was complete.
    """

    step: int
    path: str | None
    began: float
    seconds: float


@dataclass(frozen=True)
class RunEnded:
    """The end of a session of a run.

    Attributes:
        status: How it ended, as `run.json` says it: "done", "failed", "interrupted", "diverged" or
            "stopped".
        error: What ended it, in one line; None if that was no failure.
    """

    status: str
    error: str | None = None
