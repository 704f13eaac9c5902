"""The best of several checkpoints, by a metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from raymon.protos.export_pb2 import ExportConfig
from raymon.training.checkpoint.manifest import Checkpoint


def score_of(metrics: Mapping[str, float], export: ExportConfig) -> float:
    """Returns the score that ranks a checkpoint: larger is better, NaN if it has none."""
    value = metrics.get(export.best_exporter_metric, math.nan)
    return value if export.metric_larger_is_better else -value


def best_of(checkpoints: Sequence[Checkpoint], export: ExportConfig) -> Checkpoint | None:
    """Returns the best checkpoint, the later one of equals; None if none has a score."""
    scored = [c for c in checkpoints if not math.isnan(score_of(c.metrics, export))]
    return max(scored, key=lambda c: (score_of(c.metrics, export), c.step), default=None)
