"""Runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from raymon.runs.comparing.config_fields import FieldDifference


@dataclass(frozen=True)
class Score:
    """A score of a run, and how wrong it can be.

    Attributes:
        value: The score.
        bound: Largest error of the number itself, such as that of a binned AUC; 0 if it is exact.
        standard_error: Standard error from the sample of rows that it was measured on; None if it
            is not known.
        step: Step of the model; None if it is not known.
    """

    value: float
    bound: float = 0.0
    standard_error: float | None = None
    step: int | None = None


@dataclass(frozen=True)
class ScoreDifference:
    """By how much a score differs from that of the first run.

    Attributes:
        difference: The score minus that of the first run.
        bound: Sum of the bounds of both.
        independent_error: Standard error of the difference if both were measured on different rows.
            Runs that were evaluated on the same rows are paired: their errors cancel for the most
            part, so that this is an upper estimate. None if it is not known.
        uncertainty: Two of these errors plus the bound; None if the error is not known.
        clear: Whether the difference is larger than its uncertainty; None if that is not known.
    """

    difference: float
    bound: float
    independent_error: float | None
    uncertainty: float | None
    clear: bool | None

    @classmethod
    def between(cls, first: Score, other: Score) -> ScoreDifference:
        """Returns the difference of two scores."""
        difference, bound = other.value - first.value, first.bound + other.bound
        errors = first.standard_error, other.standard_error
        if errors[0] is None or errors[1] is None:
            return cls(difference, bound, None, None, None)
        error = float((errors[0] ** 2 + errors[1] ** 2) ** 0.5)
        uncertainty = 2 * error + bound
        return cls(difference, bound, error, uncertainty, abs(difference) > uncertainty)


@dataclass(frozen=True)
class ScoreRow:
    """A score of all runs.

    Attributes:
        name: `eval:metrics.auc` of the last evaluation, `best:metrics.auc` of the best checkpoint;
            `losses.total_loss`, `metrics.auc` and `samples_per_second` of the training.
        scores: Scores by run; None where a run has no such score.
        differences: Differences from the first run; None for the first run, and where there is
            none.
    """

    name: str
    scores: tuple[Score | None, ...]
    differences: tuple[ScoreDifference | None, ...]

    @classmethod
    def of(cls, name: str, scores: Sequence[Score | None]) -> ScoreRow:
        """Returns the row of scores."""
        first = scores[0]
        differences = [
            None if first is None or other is None else ScoreDifference.between(first, other)
            for other in scores[1:]
        ]
        return cls(name, tuple(scores), (None, *differences))


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other; the first is what the others differ from.

    Attributes:
        runs: Directories of the runs.
        fields: Fields of the config in which they differ.
        rows: Their scores.
        same_data: Whether all were evaluated on the same files, by their configs; None if that is
            not known.
        notes: What could not be compared, each in a line.
    """

    runs: tuple[str, ...]
    fields: tuple[FieldDifference, ...]
    rows: tuple[ScoreRow, ...]
    same_data: bool | None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the comparison as a JSON object."""
        return asdict(self)
