"""The scores of a model on the evaluation data."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Self

from raymon.results.group_figures import GroupFigures
from raymon.results.score_curves import ScoreCurves

InputErrors = Mapping[str, Mapping[str, int]]
"""Number of wrong inputs by metric and by what was wrong, as in `{"auc": {"NaN scores": 37}}`."""

Details = Mapping[str, Mapping[str, float]]
"""Further figures of metrics, by metric and name."""


@dataclass(frozen=True)
class Evaluation:
    """The scores of the model after `step` steps.

    Attributes:
        step: Step of the model.
        metrics: Values by name.
        metric_bounds: Bound of each metric that is not exact, by name.
        input_errors: Number of wrong scores, labels and weights, by metric and by what was wrong,
            as in `{"auc": {"NaN scores": 37}}`; only what was found.
        metric_details: By metric, what it counted apart from its value, as in `{"grouped_auc":
            {"groups": 37, "groups_skipped": 5}}`; only metrics that have any.
        no_value: By metric whose value is NaN, why it has none, as in `{"auc": "there is one class
            alone (labels are all 1)"}`.
        without_value: Metrics of `no_value` that these rows cannot have, whatever the model
            predicts; known only in the process that evaluated the model.
        time: Seconds since 1970, UTC, at its end, by the clock of rank 0; 0 if it is not known.
        curves: What plots show of the scores, by the metric whose counts they are made of; empty on
            ranks other than 0.
        groups: How the figures of groups are distributed, by grouped metric.
        seconds: Seconds that it took until `time`; 0 if that is not known.
    """

    step: int
    metrics: Mapping[str, float]
    metric_bounds: Mapping[str, float] = field(default_factory=dict)
    input_errors: InputErrors = field(default_factory=dict)
    metric_details: Details = field(default_factory=dict)
    no_value: Mapping[str, str] = field(default_factory=dict)
    without_value: Set[str] = frozenset()
    time: float = 0.0
    curves: Mapping[str, ScoreCurves] = field(default_factory=dict)
    groups: Mapping[str, GroupFigures] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Self:
        """Returns the evaluation that `dataclasses.asdict` made these values of."""
        curves = values.get("curves", {})
        groups = values.get("groups", {})
        return cls(
            **{
                **values,
                "curves": {name: ScoreCurves(**curve) for name, curve in curves.items()},
                "groups": {name: GroupFigures(**figures) for name, figures in groups.items()},
            }
        )

    def without_curves(self) -> Self:
        """Returns the same without what only plots show."""
        return replace(self, curves={}, groups={})

    def bare(self) -> Self:
        """Returns the same without what only plots show and without its time and length.

        Two evaluations of one model on the same rows have that in common.
        """
        return replace(self, time=0.0, seconds=0.0, curves={}, groups={})

    def to_json(self) -> dict[str, Any]:
        """Returns the line of `monitor/evaluations.jsonl`."""
        return {
            "global_step": self.step,
            "time": self.time or None,
            "seconds": self.seconds or None,
            "metrics": dict(self.metrics),
            "metric_bounds": dict(self.metric_bounds),
            "no_value": dict(self.no_value),
            "metric_details": {name: dict(found) for name, found in self.metric_details.items()},
            "input_errors": {name: dict(found) for name, found in self.input_errors.items()},
            "curves": {name: curves.to_json() for name, curves in self.curves.items()},
            "groups": {name: figures.to_json() for name, figures in self.groups.items()},
        }
