"""Where the numbers of a run go."""

from __future__ import annotations

from typing import Protocol

from raymon.sinks.snapshot import Evaluation, Snapshot


class Sink(Protocol):
    """A place that is written to. A sink that raises is counted and left out of nothing else."""

    def write(self, snapshot: Snapshot) -> None:
        """Writes the numbers of some steps."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Writes the scores of an evaluation."""

    def roll_back(self, step: int) -> None:
        """Takes back what was written for steps after `step`; training goes on from there."""

    def close(self) -> None:
        """Writes what is left."""
