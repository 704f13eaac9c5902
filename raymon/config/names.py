"""Names of losses and metrics, label by label.

If a model learns one label, a loss, a metric or a prediction has its plain name, `auc`. If it
learns several, the name ends in the label, `auc_is_click`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from raymon.protos.loss_pb2 import LossConfig
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig
from raymon.protos.model_pb2 import ModelConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

TOTAL_LOSS = "total_loss"
"""Name of the loss that is trained: the loss of that name if there is one, else the sum of all."""

C = TypeVar("C", LossConfig, MetricConfig, TrainMetricConfig)


class Named(NamedTuple, Generic[C]):
    """A loss or a metric of one label.

    Attributes:
        name: Name as it is shown, with the suffix of the label if there are several.
        kind: Name of the field that is set, such as `binary_cross_entropy`.
        label: Label that is scored.
        config: Config of the loss or metric.
        position: Position of `config` in its list.
    """

    name: str
    kind: str
    label: str
    config: C
    position: int


def total_of(losses: Mapping[str, float]) -> float:
    """Returns the total of losses: the one called `TOTAL_LOSS` if there is one, else their sum.

    NaN if one of them is NaN, or there is none: never the sum of the others.

    Args:
        losses: Values by name.
    """
    if TOTAL_LOSS in losses:
        return losses[TOTAL_LOSS]
    return sum(losses.values()) if losses else math.nan


def trained_labels(config: PipelineConfig) -> list[str]:
    """Returns the labels that the model of a pipeline learns, in the order of `label_fields`.

    A custom model learns all of them. A model that ships with raymon has one task: it learns the
    first label, or the labels that its losses name by `label_name`.
    """
    labels = list(config.data_config.label_fields)
    if config.model_config.HasField("custom"):
        return labels
    named = {loss.label_name for loss in config.model_config.losses if loss.HasField("label_name")}
    return [label for label in labels if label in named] if named else labels[:1]


def trained_weights(config: PipelineConfig) -> list[str]:
    """Returns the sample weights of the trained labels: no column, one for all, or one each."""
    columns = list(config.data_config.sample_weight_fields)
    if len(columns) < 2:
        return columns
    by_label = dict(zip(config.data_config.label_fields, columns, strict=True))
    return [by_label[label] for label in trained_labels(config)]


def suffixed(name: str, label: str, labels: Sequence[str]) -> str:
    """Returns the name of a loss, metric or prediction of one of the labels."""
    return f"{name}_{label}" if len(labels) > 1 else name


def named_losses(config: ModelConfig, labels: Sequence[str]) -> list[Named[LossConfig]]:
    """Returns the losses of all labels, in the order of the config."""
    return list(_named(config.losses, "loss", labels))


def named_metrics(config: ModelConfig, labels: Sequence[str]) -> list[Named[MetricConfig]]:
    """Returns the metrics of an evaluation, of all labels, in the order of the config."""
    return list(_named(config.metrics, "metric", labels))


def named_train_metrics(
    config: ModelConfig, labels: Sequence[str]
) -> list[Named[TrainMetricConfig]]:
    """Returns the train metrics, of all labels, in the order of the config."""
    return list(_named(config.train_metrics, "metric", labels))


def metric_names(config: PipelineConfig) -> list[str]:
    """Returns the names of the scores of an evaluation: metrics, losses, and the total loss."""
    labels = trained_labels(config)
    metrics = named_metrics(config.model_config, labels)
    losses = named_losses(config.model_config, labels)
    return [*(m.name for m in metrics), *(loss.name for loss in losses), TOTAL_LOSS]


def _named(configs: Iterable[C], oneof: str, labels: Sequence[str]) -> Iterator[Named[C]]:
    for index, config in enumerate(configs):
        kind = name = str(config.WhichOneof(oneof))
        if not isinstance(config, LossConfig) and kind == "custom_metric":
            # "package.module:Class" is shown as "Class".
            name = str(config.custom_metric.name).rpartition(":")[2]
        if not isinstance(config, LossConfig) and config.HasField("name"):
            name = str(config.name)
        for label in [config.label_name] if config.HasField("label_name") else labels:
            yield Named(suffixed(name, label, labels), kind, label, config, index)
