"""Whether larger or smaller values of a metric are better."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from raymon.config.custom import custom_classes_allowed, import_class
from raymon.config.names import loss_names, named_metrics
from raymon.config.tasks import pipeline_tasks
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
        "hit_rate_at_k": True,
        "mrr": True,
        "map": True,
    }
)
"""Whether larger is better, by kind of metric; None if 1 is right and no direction is better."""

_registered: dict[str, bool | None] = {}


def note_direction(name: str, metric: type) -> None:
    """Records the direction of a custom metric that is registered under a name."""
    _registered[name] = _of_class(metric)


def known_direction(config: PipelineConfig, name: str) -> bool | None:
    """Returns whether larger values of a metric or loss of an evaluation are better.

    Args:
        config: Config of the run. If it does not have the name, but the name is a kind of metric,
            the direction of the kind is returned.
        name: Name of a metric or a loss.

    Returns:
        None if it is not known: for a custom metric without `higher_is_better`, an attribute of
        torchmetrics, and for `calibration`.
    """
    for metric in named_metrics(pipeline_tasks(config)):
        if metric.name == name:
            return _of_metric(metric.config, metric.kind)
    if name in loss_names(config):
        return False
    return LARGER_IS_BETTER.get(name)


def cannot_rank(config: PipelineConfig, name: str) -> bool:
    """Returns whether neither direction of a metric is the better one."""
    kinds = {m.name: m.kind for m in named_metrics(pipeline_tasks(config))}
    kind = kinds.get(name, name)
    return kind in LARGER_IS_BETTER and LARGER_IS_BETTER[kind] is None


def ranking(config: PipelineConfig) -> ExportConfig:
    """Returns the `export_config` of a run, with the direction of its metric."""
    export = ExportConfig()
    export.CopyFrom(config.export_config)
    known = known_direction(config, export.best_exporter_metric)
    if known is not None:
        export.metric_larger_is_better = known
    return export


def settle_directions(config: PipelineConfig) -> None:
    """Writes the directions of custom metrics into a config that does not have them.

    A later reader of the config may not have the classes of the metrics.
    """
    custom = {
        metric.name
        for metric in named_metrics(pipeline_tasks(config))
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
    """Returns the `early_stopping` of a run, with the direction of its metric."""
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
        # The same error is raised, and shown, where the metric is made.
        return None


def _of_class(metric: type) -> bool | None:
    higher = getattr(metric, "higher_is_better", None)
    return higher if isinstance(higher, bool) else None
