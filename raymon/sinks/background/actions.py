"""What can be done with a sink, as values that can wait in a queue."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import ClassVar

from raymon.results import Evaluation, Snapshot
from raymon.sinks.sink import Sink


@dataclass(frozen=True)
class Write:
    """Writes a snapshot."""

    what: ClassVar[str] = "a write"
    snapshot: Snapshot

    def run(self, sink: Sink) -> None:
        """Does it."""
        sink.write(self.snapshot)


@dataclass(frozen=True)
class WriteEvaluation:
    """Writes the scores of an evaluation."""

    what: ClassVar[str] = "a write"
    evaluation: Evaluation

    def run(self, sink: Sink) -> None:
        """Does it."""
        sink.write_evaluation(self.evaluation)


@dataclass(frozen=True)
class RollBack:
    """Takes back what is past two steps."""

    what: ClassVar[str] = "a roll-back"
    step: int
    evaluation_step: int

    def run(self, sink: Sink) -> None:
        """Does it."""
        sink.roll_back(self.step, self.evaluation_step)

    def and_then(self, later: RollBack) -> RollBack:
        """Both, of which this one has not been done."""
        return RollBack(
            min(self.step, later.step), min(self.evaluation_step, later.evaluation_step)
        )


@dataclass(frozen=True)
class Flush:
    """Writes what was gathered.

    Attributes:
        over: Set when it was done or given up, and so was all before it.
    """

    what: ClassVar[str] = "a flush"
    over: threading.Event = field(default_factory=threading.Event, compare=False)

    def run(self, sink: Sink) -> None:
        """Does it."""
        sink.flush()


@dataclass(frozen=True)
class Close:
    """Ends the sink."""

    what: ClassVar[str] = "its close"

    def run(self, sink: Sink) -> None:
        """Does it."""
        sink.close()


Action = Write | WriteEvaluation | RollBack | Flush | Close
