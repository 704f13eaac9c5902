"""The interface of a sink."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    RunEnded,
    Snapshot,
)


@runtime_checkable
class SinkWithNotices(Protocol):
    """A sink with notices for people that are not about failures."""

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""


@runtime_checkable
class PatientSink(Protocol):
    """A sink that says how often a call is tried, and how long its close may take.

    Attributes:
        tries: Largest number of times that a call is tried.
        close_s: Seconds that the close of the run waits for it.
    """

    tries: int
    close_s: float


class Sink(Protocol):
    """A place that numbers are written to.

    A sink may raise, and may be slow: a `BackgroundSink` around it shields the reporter from both.
    A call that raised is repeated, so what it left half done must not show twice. Writes may be
    gathered until the next `flush`, which comes within seconds.
    """

    def write(self, snapshot: Snapshot) -> None:
        """Writes the numbers of the steps of a snapshot."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Writes the scores of an evaluation."""

    def write_alert(self, alert: Alert) -> None:
        """Writes that something has begun or ended to be wrong."""

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Takes back what was written of later steps; it is written again from there.

        Args:
            step: Step after which training is taken back.
            evaluation_step: Step after which evaluations are taken back.
        """

    def flush(self) -> None:
        """Writes what was gathered."""

    def close(self) -> None:
        """Writes what is left."""


@runtime_checkable
class RunSink(Sink, Protocol):
    """A sink that takes the events of a run too.

    They come in order with the numbers. A reporter that was started again gives the attempt that is
    going on again; the other events come once, or never where the reporter was away.
    """

    def begin_attempt(self, attempt: AttemptBegan) -> None:
        """Writes that an attempt begins; what is rolled back by it follows."""

    def fail_attempt(self, failed: AttemptFailed) -> None:
        """Writes that an attempt has failed."""

    def write_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        """Writes that a checkpoint is complete."""

    def end_run(self, ended: RunEnded) -> None:
        """Writes how the run ended, before its close."""
