"""What a tracker is told of a run, as plain values that travel to its process."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from raymon.results import Alert, CheckpointSaved, Evaluation, RunEnded, Snapshot
from raymon.sinks.curves import evaluation_curves, training_curves

EVALUATION = "eval_val"
"""What the tags of evaluations begin with: the directory that TensorBoard has them in."""


@dataclass(frozen=True)
class TrackedRun:
    """What is known of a run before it begins.

    Attributes:
        directory: Directory or URI that it writes to; empty if it writes nothing.
        name: Its name, by default.
        config: The config as text; empty if there is none.
        hyperparameters: Fields of it that people tune, by path.
        losses: Names of the losses, which an evaluation has among its metrics.
    """

    directory: str = ""
    name: str = "raymon"
    config: str = ""
    hyperparameters: Mapping[str, float | bool | str] = field(default_factory=dict)
    losses: Set[str] = frozenset()


@dataclass(frozen=True)
class Points:
    """One point of some curves.

    Attributes:
        step: Steps that the model has made.
        time: Seconds since 1970, UTC.
        attempt: Number of the attempt that made the steps; 0 if it is not known.
        values: Value by tag; NaN where there is none.
        of_evaluation: Whether they are scores of an evaluation.
    """

    step: int
    time: float
    attempt: int
    values: Mapping[str, float]
    of_evaluation: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot, attempt: int) -> Points:
        """Returns the points of a snapshot."""
        return cls(snapshot.end_step, snapshot.time, attempt, dict(training_curves(snapshot)))

    @classmethod
    def of_scores(cls, evaluation: Evaluation, attempt: int, losses: Set[str]) -> Points:
        """Returns the points of an evaluation."""
        curves = evaluation_curves(evaluation, losses)
        values = {f"{EVALUATION}/{tag}": value for tag, value in curves.items()}
        return cls(evaluation.step, evaluation.time, attempt, values, of_evaluation=True)


@dataclass(frozen=True)
class AlertLine:
    """The begin or the end of something that is wrong.

    Attributes:
        kind: What kind of alert it is, such as "straggler".
        text: One line for people.
        step: Step of the newest numbers at that time.
        time: Seconds since 1970, UTC.
        is_over: Whether it is its end.
    """

    kind: str
    text: str
    step: int
    time: float
    is_over: bool

    @classmethod
    def of(cls, alert: Alert) -> AlertLine:
        """Returns the line of an alert."""
        state = "over" if alert.is_over else "began"
        text = f"{state} at step {alert.step}, in attempt {alert.attempt}: {alert.finding.text}"
        return cls(alert.finding.kind, text, alert.step, alert.time, alert.is_over)


Event = Points | AlertLine | CheckpointSaved | RunEnded
