"""The metrics whose states are sums, and rows for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from raymon.metrics.accuracy import Accuracy
from raymon.metrics.auc import AUC
from raymon.metrics.base.checked_metric import CheckedMetric
from raymon.metrics.calibration import Calibration
from raymon.metrics.log_loss import LogLoss
from raymon.metrics.mean_absolute_error import MeanAbsoluteError
from raymon.metrics.mean_squared_error import MeanSquaredError
from raymon.metrics.multiclass_auc import MulticlassAUC
from raymon.metrics.normalized_entropy import NormalizedEntropy
from raymon.metrics.pr_auc import PRAUC
from raymon.metrics.recall_at_k import RecallAtK

Kind = Callable[[], CheckedMetric]
Columns = tuple[Tensor, Tensor, Tensor]
Shape = Literal["random", "tied", "constant", "skewed", "huge"]

SHAPES: list[Shape] = ["random", "tied", "constant", "skewed", "huge"]
CLASSES = 4
BINARY: dict[str, Kind] = {
    "auc": lambda: AUC(exact_rows=0),
    "pr_auc": lambda: PRAUC(exact_rows=0),
    "pr_auc_200": lambda: PRAUC(200),
    "log_loss": LogLoss,
    "log_loss_clamped": lambda: LogLoss(1e-3),
    "normalized_entropy": NormalizedEntropy,
    "normalized_entropy_clamped": lambda: NormalizedEntropy(0.2),
    "calibration": Calibration,
    "accuracy": Accuracy,
    "accuracy_above_a_third": lambda: Accuracy(1 / 3),
}
REAL: dict[str, Kind] = {
    "mean_absolute_error": MeanAbsoluteError,
    "mean_squared_error": MeanSquaredError,
}
MULTICLASS: dict[str, Kind] = {
    "multiclass_auc": lambda: MulticlassAUC(CLASSES, exact_rows=0),
    "multiclass_auc_weighted": lambda: MulticlassAUC(CLASSES, average="weighted", exact_rows=0),
    "multiclass_auc_50": lambda: MulticlassAUC(CLASSES, 50),
    "recall_at_1": lambda: RecallAtK(1),
    "recall_at_2": lambda: RecallAtK(2),
    "accuracy_of_classes": Accuracy,
    "accuracy_of_2_classes": lambda: Accuracy(top_k=2),
}
ALL = {**BINARY, **REAL, **MULTICLASS}


def rows_for(name: str, rows: int, shape: Shape = "random", seed: int = 0) -> Columns:
    """Returns scores, labels and weights for a metric; the weights are multiples of their unit.

    Args:
        name: Name of the metric.
        rows: Number of rows.
        shape: Shape of the scores, or of the share of positives.
        seed: Seed of the random numbers.
    """
    rng = np.random.default_rng(seed)
    size = (rows, CLASSES) if name in MULTICLASS else (rows,)
    scores = rng.random(size)
    if shape == "tied":
        scores = rng.choice([0.0, 0.1, 0.5, 0.9, 1.0], size)
    elif shape == "constant":
        scores = np.full(size, 0.25)
    elif shape == "skewed":
        scores = scores * 2e-3
    elif shape == "huge" and name not in BINARY:
        scores = scores * 10.0 ** rng.integers(-15, 16, size)
    if name in MULTICLASS:
        labels = rng.integers(0, CLASSES, rows).astype(np.float64)
    elif name in REAL:
        labels = rng.normal(size=rows)
    else:
        labels = (rng.random(rows) < scores).astype(np.float64)
    weights = rng.integers(0, 200_000, rows) / 65_536
    return torch.tensor(scores), torch.tensor(labels), torch.tensor(weights)
