"""Metrics that are right for a whole cluster: their states are sums that merge exactly."""

from raymon.metrics.accuracy import Accuracy
from raymon.metrics.auc import AUC
from raymon.metrics.decay import DecayedMetric
from raymon.metrics.decay_auc import DecayAUC
from raymon.metrics.fixed_point import WEIGHT_BITS
from raymon.metrics.grouped_auc import GroupedAUC
from raymon.metrics.mean_absolute_error import MeanAbsoluteError
from raymon.metrics.mean_squared_error import MeanSquaredError
from raymon.metrics.multiclass_auc import MulticlassAUC
from raymon.metrics.normalized_entropy import NormalizedEntropy
from raymon.metrics.recall_at_k import RecallAtK
from raymon.metrics.registry import (
    METRIC_NAMES,
    TRAIN_METRIC_NAMES,
    build_metric,
    build_train_metric,
    metric_name,
)
from raymon.metrics.states import (
    compute_states,
    merge_states,
    take_window_states,
    window_states,
)
from raymon.metrics.train_metric_wrapper import TrainMetricWrapper

__all__ = [
    "AUC",
    "METRIC_NAMES",
    "TRAIN_METRIC_NAMES",
    "WEIGHT_BITS",
    "Accuracy",
    "DecayAUC",
    "DecayedMetric",
    "GroupedAUC",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MulticlassAUC",
    "NormalizedEntropy",
    "RecallAtK",
    "TrainMetricWrapper",
    "build_metric",
    "build_train_metric",
    "compute_states",
    "merge_states",
    "metric_name",
    "take_window_states",
    "window_states",
]
