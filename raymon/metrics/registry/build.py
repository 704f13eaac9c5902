"""Builds metrics by their names in a pipeline config."""

from __future__ import annotations

from typing import Any, Literal, cast

from google.protobuf.message import Message
from torchmetrics import Metric

from raymon.errors import ConfigError
from raymon.metrics.accuracy import Accuracy
from raymon.metrics.auc import AUC
from raymon.metrics.binned_xauc import BinnedXAUC
from raymon.metrics.calibration import Calibration
from raymon.metrics.decay.decay_auc import DecayAUC
from raymon.metrics.decay.train_metric_wrapper import TrainMetricWrapper
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
from raymon.metrics.pr_auc import PRAUC
from raymon.metrics.recall_at_k import RecallAtK
from raymon.metrics.registry.custom import build_custom
from raymon.metrics.xauc import XAUC
from raymon.protos import metric_pb2


def _names(message: str) -> tuple[str, ...]:
    oneof = metric_pb2.DESCRIPTOR.message_types_by_name[message].oneofs_by_name["metric"]
    return tuple(field.name for field in oneof.fields)


METRIC_NAMES = _names("MetricConfig")
"""The metrics that an evaluation can have."""

TRAIN_METRIC_NAMES = _names("TrainMetricConfig")
"""The metrics that a training can have."""


def metric_name(config: metric_pb2.MetricConfig | metric_pb2.TrainMetricConfig) -> str:
    """Returns the name of the metric that a config message asks for.

    Raises:
        ConfigError: The message names no metric.
    """
    name = config.WhichOneof("metric")
    if name is None:
        one_of = ", ".join(_names(type(config).__name__))
        raise ConfigError(
            f"{type(config).__name__}: no metric is given; it must be one of {one_of}"
        )
    return cast(str, name)


def build_metric(config: metric_pb2.MetricConfig, num_class: int) -> Metric:
    """Returns a metric of the evaluation, as configured.

    A field that is not set gives the accurate definition, not the default in the schema.

    Args:
        config: Config of the metric.
        num_class: Number of classes of the model; for `multiclass_auc`.

    Raises:
        ConfigError: No metric is given, or a custom one cannot be made.
        UserError: A field is out of range.
    """
    match metric_name(config):
        case "auc":
            return AUC(_written(config.auc, "thresholds"))
        case "grouped_auc":
            return GroupedAUC()
        case "xauc":
            sample_ratio = _written(config.xauc, "sample_ratio")
            return XAUC(sample_ratio, _written(config.xauc, "max_pairs"), config.xauc.in_batch)
        case "grouped_xauc":
            return GroupedXAUC(_written(config.grouped_xauc, "max_pairs_per_group"))
        case "ndcg_at_k":
            return NDCGAtK(_written(config.ndcg_at_k, "top_k"))
        case "hit_rate_at_k":
            return HitRateAtK(config.hit_rate_at_k.top_k)
        case "mrr":
            return MRR(_written(config.mrr, "top_k"))
        case "map":
            return MAP(_written(config.map, "top_k"))
        case name:
            return _build_shared(name, config, num_class)


def build_train_metric(config: metric_pb2.TrainMetricConfig, num_class: int) -> TrainMetricWrapper:
    """Returns a metric of the training, as configured; `auc` is a DecayAUC, `xauc` a BinnedXAUC.

    Args:
        config: Config of the metric and of its decay.
        num_class: Number of classes of the model.

    Raises:
        ConfigError: No metric is given, or a custom one cannot be made.
        UserError: A field is out of range, or the metric stores rows.
    """
    name = metric_name(config)
    if name == "auc":
        metric: Metric = DecayAUC(_written(config.auc, "thresholds"))
    elif name == "xauc":
        metric = XAUC(in_batch=True) if config.xauc.in_batch else BinnedXAUC()
    else:
        metric = _build_shared(name, config, num_class)
    metric.sync_on_compute = False
    return TrainMetricWrapper(metric, config.decay_rate, config.decay_step)


def _build_shared(
    name: str, config: metric_pb2.MetricConfig | metric_pb2.TrainMetricConfig, num_class: int
) -> Metric:
    """Returns a metric that is the same in training and evaluation."""
    match name:
        case "multiclass_auc":
            average = cast(Literal["macro", "weighted"], config.multiclass_auc.average)
            return MulticlassAUC(num_class, _written(config.multiclass_auc, "thresholds"), average)
        case "recall_at_k":
            return RecallAtK(config.recall_at_k.top_k)
        case "mean_absolute_error":
            return MeanAbsoluteError()
        case "mean_squared_error":
            return MeanSquaredError()
        case "accuracy":
            return Accuracy(config.accuracy.threshold, config.accuracy.top_k)
        case "normalized_entropy":
            return NormalizedEntropy(config.normalized_entropy.eta)
        case "calibration":
            return Calibration()
        case "pr_auc":
            return PRAUC(_written(config.pr_auc, "thresholds"))
        case "log_loss":
            return LogLoss()
        case "custom_metric":
            return build_custom(config.custom_metric)
        case _:
            raise AssertionError(f"metric {name} is in the schema and not in the registry")


def _written(message: Message, field: str) -> Any:
    """Returns a field that was written; None, for the accurate definition, if it was not."""
    return getattr(message, field) if message.HasField(field) else None
