"""In which direction a metric is better."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from raymon.config.custom import custom_classes_allowed, import_class
from raymon.config.names import (
    TOTAL_LOSS,
    named_losses,
    named_metrics,
    trained_labels,
)
from raymon.errors import ConfigError
from raymon.protos.export_pb2 import ExportConfig
from raymon.protos.metric_pb2 import MetricConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import EarlyStoppingConfig

LARGER_IS_BETTER: Mapping[str, bool | None] = MappingProxyType(
    {
        "auc": True,
        "multiclass_auc": True,
        "recall_at_k": True,
        "mean_absolute_error": False,
        "mean_squared_error": False,
        "accuracy": True,
        "grouped_auc": True,
        "normalized_entropy": False,
        "xauc": True,
        "grouped_xauc": True,
        "calibration": None,
        "pr_auc": True,
        "log_loss": False,
        "ndcg_at_k": True,
    }
)
"""Of each kind of metric; None where 1 is right, and neither more nor less is better."""

_registered: dict[str, bool | None] = {}


def note_direction(name: str, metric: type) -> None:
    """Remembers the direction of a metric of one's own that is registered by a name."""
    _registered[name] = _of_class(metric)


def known_direction(config: PipelineConfig, name: str) -> bool | None:
    """Whether the larger values of what an evaluation yields are the better ones.

    Args:
        config: of the run; where it does not have the name, one that is a kind's has its direction.
        name: of a metric or a loss.

    Returns:
        None where nobody knows: of a metric of one's own without `higher_is_better`, as
        torchmetrics has it, and of `calibration`.
    """
    labels = trained_labels(config)
    for metric in named_metrics(config.model_config, labels):
        if metric.name == name:
            return _of_metric(metric.config, metric.kind)
    losses = {loss.name for loss in named_losses(config.model_config, labels)}
    if name in losses or name == TOTAL_LOSS:
        return False
    return LARGER_IS_BETTER.get(name)


def cannot_rank(config: PipelineConfig, name: str) -> bool:
    """Whether no direction of a metric is the better one."""
    kinds = {m.name: m.kind for m in named_metrics(config.model_config, trained_labels(config))}
    kind = kinds.get(name, name)
    return kind in LARGER_IS_BETTER and LARGER_IS_BETTER[kind] is None


def ranking(config: PipelineConfig) -> ExportConfig:
    """The export_config of a run, with the direction of its metric."""
    export = ExportConfig()
    export.CopyFrom(config.export_config)
    known = known_direction(config, export.best_exporter_metric)
    if known is not None:
        export.metric_larger_is_better = known
    return export


def settle_directions(config: PipelineConfig) -> None:
    """Writes the directions of metrics of one's own into a config that leaves them out: whoever
    reads it later may not have their classes."""
    custom = {
        metric.name
        for metric in named_metrics(config.model_config, trained_labels(config))
        if metric.kind == "custom_metric"
    }
    export, early = config.export_config, config.train_config.early_stopping
    if export.best_exporter_metric in custom and not export.HasField("metric_larger_is_better"):
        known = known_direction(config, export.best_exporter_metric)
        if known is not None:
            export.metric_larger_is_better = known
    if early.metric in custom and not early.HasField("larger_is_better"):
        known = known_direction(config, early.metric)
        if known is not None:
            early.larger_is_better = known


def stopping(config: PipelineConfig) -> EarlyStoppingConfig:
    """The early_stopping of a run, with the direction of its metric."""
    early = EarlyStoppingConfig()
    early.CopyFrom(config.train_config.early_stopping)
    known = known_direction(config, early.metric)
    if known is not None:
        early.larger_is_better = known
    return early


def _of_metric(config: MetricConfig, kind: str) -> bool | None:
    if kind != "custom_metric":
        return LARGER_IS_BETTER[kind]
    name = config.custom_metric.name
    if ":" not in name:
        return _registered.get(name)
    if not custom_classes_allowed():
        return None
    try:
        return _of_class(import_class(name, "custom_metric.name"))
    except ConfigError:
        # What is wrong with it is told where it is made.
        return None


def _of_class(metric: type) -> bool | None:
    higher = getattr(metric, "higher_is_better", None)
    return higher if isinstance(higher, bool) else None
