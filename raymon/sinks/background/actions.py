"""Actions on a sink, as values that can wait in a queue."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import ClassVar

from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    RunEnded,
    Snapshot,
)
from raymon.sinks.sink import RunSink, Sink


@dataclass(frozen=True)
class Write:
    """The write of a snapshot."""

    what: ClassVar[str] = "a write"
    snapshot: Snapshot

    def run(self, sink: Sink) -> None:
        """Writes the snapshot."""
        sink.write(self.snapshot)


@dataclass(frozen=True)
class WriteEvaluation:
    """The write of an evaluation's scores."""

    what: ClassVar[str] = "a write"
    evaluation: Evaluation

    def run(self, sink: Sink) -> None:
        """Writes the scores."""
        sink.write_evaluation(self.evaluation)


@dataclass(frozen=True)
class WriteAlert:
    """The write of an alert."""

    what: ClassVar[str] = "a write"
    alert: Alert

    def run(self, sink: Sink) -> None:
        """Writes the alert."""
        sink.write_alert(self.alert)


@dataclass(frozen=True)
class WriteEvent:
    """The write of an event of the run, for a sink that takes them."""

    what: ClassVar[str] = "a write"
    event: AttemptBegan | AttemptFailed | CheckpointSaved | RunEnded

    def run(self, sink: Sink) -> None:
        """Writes the event."""
        if not isinstance(sink, RunSink):
            return
        if isinstance(self.event, AttemptBegan):
            sink.begin_attempt(self.event)
        elif isinstance(self.event, AttemptFailed):
            sink.fail_attempt(self.event)
        elif isinstance(self.event, CheckpointSaved):
            sink.write_checkpoint(self.event)
        else:
            sink.end_run(self.event)


@dataclass(frozen=True)
class RollBack:
    """The roll-back to two steps.

    Attributes:
        step: Step after which training is taken back.
        evaluation_step: Step after which evaluations are taken back.
    """

    what: ClassVar[str] = "a roll-back"
    step: int
    evaluation_step: int

    def run(self, sink: Sink) -> None:
        """Rolls the sink back."""
        sink.roll_back(self.step, self.evaluation_step)

    def and_then(self, later: RollBack) -> RollBack:
        """Returns one roll-back for this one, which was not done, and a later one."""
        return RollBack(
            min(self.step, later.step), min(self.evaluation_step, later.evaluation_step)
        )


@dataclass(frozen=True)
class Flush:
    """The write of what was gathered.

    Attributes:
        over: Event that is set once this and everything before it was done or given up.
    """

    what: ClassVar[str] = "a flush"
    over: threading.Event = field(default_factory=threading.Event, compare=False)

    def run(self, sink: Sink) -> None:
        """Flushes the sink."""
        sink.flush()


@dataclass(frozen=True)
class Close:
    """The end of the sink."""

    what: ClassVar[str] = "its close"

    def run(self, sink: Sink) -> None:
        """Closes the sink."""
        sink.close()


Action = Write | WriteEvaluation | WriteAlert | WriteEvent | RollBack | Flush | Close

WRITES = (Write, WriteEvaluation, WriteAlert)
"""Actions that are dropped where too many wait: the first kind first."""
