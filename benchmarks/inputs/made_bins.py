"""The bins of an evaluation that nobody made, as `monitor/evaluations.jsonl` has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from raymon.results import Evaluation

_BINS = 100
_ROWS = 40_000


def made_line(evaluation: Evaluation, time: float) -> dict[str, Any]:
    """Returns the line of an evaluation, with the curves of rows that are drawn for its AUC."""
    rng = np.random.default_rng(evaluation.step)
    labels = rng.random(_ROWS) < 0.05
    apart = 2.0 * (evaluation.metrics["auc"] - 0.3)
    scores = 1 / (1 + np.exp(3.5 - rng.normal(0, 1, _ROWS) - apart * labels))
    edges = np.linspace(0, 1, _BINS + 1)
    positive = np.histogram(scores[labels], edges)[0].astype(float)
    negative = np.histogram(scores[~labels], edges)[0].astype(float)
    weight = positive + negative
    full = weight > 0
    summed = np.histogram(scores, edges, weights=scores)[0]
    found = np.cumsum(positive[::-1]), np.cumsum(negative[::-1])
    recall = found[0] / positive.sum()
    precision = found[0] / np.maximum(found[0] + found[1], 1)
    groups = np.histogram(rng.normal(evaluation.metrics["grouped_auc"], 0.1, 1500), 50, (0, 1))
    return {
        "global_step": evaluation.step,
        "time": time,
        "metrics": dict(evaluation.metrics),
        "metric_bounds": dict(evaluation.metric_bounds),
        "no_value": {},
        "metric_details": {k: dict(v) for k, v in evaluation.metric_details.items()},
        "curves": {
            "auc": {
                "scores": {
                    "edges": edges.tolist(),
                    "negative": negative.tolist(),
                    "positive": positive.tolist(),
                },
                "calibration": {
                    "predicted": (summed[full] / weight[full]).tolist(),
                    "observed": (positive[full] / weight[full]).tolist(),
                    "weight": weight[full].tolist(),
                },
                "roc": {
                    "false_positive_rate": [0.0, *(found[1] / negative.sum()).tolist()],
                    "true_positive_rate": [0.0, *recall.tolist()],
                },
                "pr": {"recall": recall.tolist(), "precision": precision.tolist()},
            }
        },
        "groups": {"grouped_auc": {"edges": groups[1].tolist(), "groups": groups[0].tolist()}},
    }
