"""The failure of an attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """What is known of a failure where it was met.

    Attributes:
        text: What went wrong, in one line.
        details: The whole of it: tracebacks, and what Ray says.
        killed: Ranks whose processes have ended, if it is that; the rank of `text` first.
        goes_on: Whether the workers are started again.
    """

    text: str
    details: str
    killed: Sequence[int] = ()
    goes_on: bool = False


@dataclass(frozen=True)
class AttemptFailed:
    """The failure of an attempt, as it is shown.

    Attributes:
        attempt: Number of the attempt.
        text: What went wrong, in one line, with the file that has the rest.
        goes_on: Whether the workers are started again.
    """

    attempt: int
    text: str
    goes_on: bool
