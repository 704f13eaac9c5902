"""Evaluations with all that they can have, for tests of sinks and of the reporter."""

from __future__ import annotations

from typing import Any

from raymon.results import Evaluation, GroupFigures, ScoreCurves


def evaluation(step: int, **changes: Any) -> Evaluation:
    """Returns an evaluation with curves, made `step` seconds after 1970."""
    curves = ScoreCurves(
        edges=[0.0, 0.25, 1.0],
        negative=[30.0, 9.5],
        positive=[1.0, float(step)],
        predicted=[0.1, 0.4],
        observed=[0.125, 0.3],
        weight=[40.0, 11.5],
        false_positive_rate=[0.0, 0.1, 1.0],
        true_positive_rate=[0.0, 0.654321, 1.0],
        recall=[0.3, 1.0],
        precision=[0.9, 0.1],
    )
    values: dict[str, Any] = {
        "metrics": {"auc": 0.75, "grouped_auc": 0.7, "pr_auc": float("nan")},
        "metric_bounds": {"auc": 1e-5},
        "input_errors": {"pr_auc": {"NaN scores": 3}},
        "metric_details": {"grouped_auc": {"groups": 3.0}},
        "no_value": {"pr_auc": "its input has 3 NaN scores"},
        "time": float(step),
        "curves": {"auc": curves},
        "seconds": 2.5,
        "groups": {"grouped_auc": GroupFigures([0.0, 0.5, 1.0], [1, 2], {"0.5": 0.7})},
    }
    return Evaluation(step, **{**values, **changes})
