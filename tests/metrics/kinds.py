"""Every metric, by the arguments of its update."""

from __future__ import annotations

from collections.abc import Callable

from torchmetrics import Metric

from raymon.metrics import (
    AUC,
    MAP,
    MRR,
    PRAUC,
    XAUC,
    Accuracy,
    BinnedXAUC,
    Calibration,
    DecayAUC,
    GroupedAUC,
    GroupedXAUC,
    HitRateAtK,
    LogLoss,
    MeanAbsoluteError,
    MeanSquaredError,
    MulticlassAUC,
    NDCGAtK,
    NormalizedEntropy,
    RecallAtK,
)

Kind = Callable[[], Metric]

BINARY: list[Kind] = [
    lambda: AUC(exact_rows=0),
    lambda: AUC(200),
    DecayAUC,
    lambda: DecayAUC(200),
    lambda: PRAUC(exact_rows=0),
    lambda: PRAUC(200),
    NormalizedEntropy,
    LogLoss,
    Calibration,
    MeanAbsoluteError,
    MeanSquaredError,
    Accuracy,
    BinnedXAUC,
]
"""With states of fixed size, for scores `[B]`."""

IN_BATCH: list[Kind] = [lambda: XAUC(in_batch=True)]
"""The same; a batch is more than its rows."""

MULTICLASS: list[Kind] = [
    lambda: MulticlassAUC(6, exact_rows=0),
    lambda: MulticlassAUC(6, 50),
    RecallAtK,
    Accuracy,
]
"""With states of fixed size, for scores `[B, 6]`."""

EXACT: list[Kind] = [AUC, PRAUC, XAUC]
"""With rows, for scores `[B]`."""

EXACT_MULTICLASS: list[Kind] = [lambda: MulticlassAUC(6)]
"""With rows, for scores `[B, 6]`."""

GROUPED: list[Kind] = [GroupedAUC, GroupedXAUC, NDCGAtK, HitRateAtK, MRR, MAP]
"""With rows of groups."""
