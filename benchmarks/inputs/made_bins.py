"""The bins of an evaluation that nobody made, as `monitor/evaluations.jsonl` has them."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raymon.results import Evaluation

_ROWS = 40_000
_CLICKS = 0.05
_BINS, _CALIBRATION_BINS, _POINTS = 100, 25, 200

_Array = NDArray[np.float64]


def made_line(evaluation: Evaluation, time: float) -> dict[str, Any]:
    """Returns the line of an evaluation, with the curves of rows that are drawn for its AUC.

    The log-odds of clicks and of other rows are normal, and as far apart as the AUC says: then
    scores are calibrated (Gaussian log-likelihood ratios).
    """
    rng = np.random.default_rng(evaluation.step)
    labels = rng.random(_ROWS) < _CLICKS
    apart = 2**0.5 * NormalDist().inv_cdf(evaluation.metrics["auc"])
    shift = apart * (rng.normal(0, 1, _ROWS) + apart * labels) - apart**2 / 2
    scores = 1 / (1 + np.exp(-(np.log(_CLICKS / (1 - _CLICKS)) + shift)))
    groups = np.histogram(rng.normal(evaluation.metrics["grouped_auc"], 0.1, 1500), 50, (0, 1))
    return {
        "global_step": evaluation.step,
        "time": time,
        "metrics": dict(evaluation.metrics),
        "metric_bounds": dict(evaluation.metric_bounds),
        "no_value": {},
        "metric_details": {k: dict(v) for k, v in evaluation.metric_details.items()},
        "curves": {"auc": _curves(scores, labels)},
        "groups": {"grouped_auc": {"edges": groups[1].tolist(), "groups": groups[0].tolist()}},
    }


def _curves(scores: _Array, labels: NDArray[np.bool_]) -> dict[str, Any]:
    edges = np.linspace(0, 1, _BINS + 1)
    order = np.argsort(-scores)
    positive, negative = np.cumsum(labels[order]), np.cumsum(~labels[order])
    at = np.unique(np.linspace(0, len(scores) - 1, _POINTS).astype(int))
    recall = positive[at] / positive[-1]
    parts = np.array_split(order[::-1], _CALIBRATION_BINS)
    return {
        "scores": {
            "edges": edges.tolist(),
            "negative": np.histogram(scores[~labels], edges)[0].astype(float).tolist(),
            "positive": np.histogram(scores[labels], edges)[0].astype(float).tolist(),
        },
        "calibration": {
            "predicted": [float(scores[part].mean()) for part in parts],
            "observed": [float(labels[part].mean()) for part in parts],
            "weight": [float(len(part)) for part in parts],
        },
        "roc": {
            "false_positive_rate": [0.0, *(negative[at] / negative[-1]).tolist()],
            "true_positive_rate": [0.0, *recall.tolist()],
        },
        "pr": {
            "recall": recall.tolist(),
            "precision": (positive[at] / (positive[at] + negative[at])).tolist(),
        },
    }
