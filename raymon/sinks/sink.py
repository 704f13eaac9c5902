"""Where the numbers of a run go."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from raymon.results import Evaluation, Snapshot


@runtime_checkable
class SinkWithNotices(Protocol):
    """A sink that has something to tell beside what fails."""

    def take_notices(self) -> list[str]:
        """What is to be told since the call before."""


class Sink(Protocol):
    """A place that is written to.

    It may raise, and it may take its time: a `BackgroundSink` around it keeps both to itself.
    A call that raised is made again, so that what it left half done must not show twice.
    It may gather what is written, up to the next `flush`, which comes within seconds.
    """

    def write(self, snapshot: Snapshot) -> None:
        """Writes the numbers of some steps."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Writes the scores of an evaluation."""

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Takes back what was written for training steps after `step`, and evaluations after
        `evaluation_step`; both are written anew from there."""

    def flush(self) -> None:
        """Writes what was gathered."""

    def close(self) -> None:
        """Writes what is left."""
