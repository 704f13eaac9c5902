"""A sink that keeps the events of a run in order."""

from typing import Any

from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    RunEnded,
    Snapshot,
)


class EventSink:
    """A `RunSink` that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def write(self, snapshot: Snapshot) -> None:
        self.events.append(snapshot.end_step)

    def write_alert(self, alert: Alert) -> None:
        self.events.append(alert)

    def write_evaluation(self, evaluation: Evaluation) -> None:
        self.events.append(evaluation.bare())

    def begin_attempt(self, attempt: AttemptBegan) -> None:
        self.events.append(attempt)

    def fail_attempt(self, failed: AttemptFailed) -> None:
        self.events.append(failed)

    def write_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        self.events.append(checkpoint)

    def end_run(self, ended: RunEnded) -> None:
        self.events.append(ended)

    def roll_back(self, step: int, evaluation_step: int) -> None:
        self.events.append("roll back")

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.events.append("close")
