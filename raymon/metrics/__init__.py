"""Metrics that are right for a whole cluster: their states are sums that merge exactly."""

from raymon.metrics.accuracy import Accuracy
from raymon.metrics.auc import AUC
from raymon.metrics.base.checked_metric import CheckedMetric
from raymon.metrics.base.grouped_metric import GroupedMetric
from raymon.metrics.base.score_histogram import ScoreHistogram
from raymon.metrics.base.weight_tables import is_zero_placeholder
from raymon.metrics.binned_xauc import BinnedXAUC
from raymon.metrics.calibration import Calibration
from raymon.metrics.decay.decay import DecayedMetric
from raymon.metrics.decay.decay_auc import DecayAUC
from raymon.metrics.decay.states import (
    Computed,
    compute_states,
    merge_states,
    take_window_states,
    window_states,
)
from raymon.metrics.decay.train_metric_wrapper import TrainMetricWrapper
from raymon.metrics.decay.waiting_updates import LeftOutError, Update
from raymon.metrics.grouped_auc import GroupedAUC
from raymon.metrics.grouped_xauc import GroupedXAUC
from raymon.metrics.hit_rate_at_k import HitRateAtK
from raymon.metrics.log_loss import LogLoss
from raymon.metrics.map import MAP
from raymon.metrics.mean_absolute_error import MeanAbsoluteError
from raymon.metrics.mean_squared_error import MeanSquaredError
from raymon.metrics.mrr import MRR
from raymon.metrics.multiclass_auc import MulticlassAUC
from raymon.metrics.ndcg_at_k import NDCGAtK
from raymon.metrics.normalized_entropy import NormalizedEntropy
from raymon.metrics.numerics.fixed_point import WEIGHT_BITS
from raymon.metrics.pr_auc import PRAUC
from raymon.metrics.recall_at_k import RecallAtK
from raymon.metrics.registry.build import (
    METRIC_NAMES,
    TRAIN_METRIC_NAMES,
    build_metric,
    build_train_metric,
    metric_name,
)
from raymon.metrics.registry.custom import (
    build_custom,
    few_rows,
    register_metric,
    registered_metrics,
    takes_weights,
    try_out,
)
from raymon.metrics.xauc import XAUC

__all__ = [
    "AUC",
    "MAP",
    "METRIC_NAMES",
    "MRR",
    "PRAUC",
    "TRAIN_METRIC_NAMES",
    "WEIGHT_BITS",
    "XAUC",
    "Accuracy",
    "BinnedXAUC",
    "Calibration",
    "CheckedMetric",
    "Computed",
    "DecayAUC",
    "DecayedMetric",
    "GroupedAUC",
    "GroupedMetric",
    "GroupedXAUC",
    "HitRateAtK",
    "LeftOutError",
    "LogLoss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MulticlassAUC",
    "NDCGAtK",
    "NormalizedEntropy",
    "RecallAtK",
    "ScoreHistogram",
    "TrainMetricWrapper",
    "Update",
    "build_custom",
    "build_metric",
    "build_train_metric",
    "compute_states",
    "few_rows",
    "is_zero_placeholder",
    "merge_states",
    "metric_name",
    "register_metric",
    "registered_metrics",
    "take_window_states",
    "takes_weights",
    "try_out",
    "window_states",
]
