"""Names of losses and metrics, task by task: `auc`, or `auc_` and the name of the task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from raymon.config.tasks import Task, pipeline_tasks
from raymon.protos.loss_pb2 import LossConfig
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

TOTAL_LOSS = "total_loss"
"""Name of the loss that is trained: the loss of that name if there is one, else the sum of all."""

C = TypeVar("C", LossConfig, MetricConfig, TrainMetricConfig)


class Named(NamedTuple, Generic[C]):
    """A loss or a metric of one task.

    Attributes:
        name: Name as it is shown, with the suffix of the task.
        kind: Name of the field that is set, such as `binary_cross_entropy`.
        task: Task that it is of.
        config: Config of the loss or metric.
        place: Path of `config`.
    """

    name: str
    kind: str
    task: Task
    config: C
    place: str

    @property
    def label(self) -> str:
        """The column of the label of its task."""
        return self.task.label


def total_of(losses: Mapping[str, float]) -> float:
    """Returns the total of losses: the one called `TOTAL_LOSS` if there is one, else their sum.

    NaN if one of them is NaN, or there is none: never the sum of the others.

    Args:
        losses: Values by name.
    """
    if TOTAL_LOSS in losses:
        return losses[TOTAL_LOSS]
    return sum(losses.values()) if losses else math.nan


def named_losses(of: Iterable[Task]) -> list[Named[LossConfig]]:
    """Returns the losses of tasks, in the order of the config."""
    return list(_named(of, "losses", "loss"))


def named_metrics(of: Iterable[Task]) -> list[Named[MetricConfig]]:
    """Returns the metrics of an evaluation of tasks, in the order of the config."""
    return list(_named(of, "metrics", "metric"))


def named_train_metrics(of: Iterable[Task]) -> list[Named[TrainMetricConfig]]:
    """Returns the train metrics of tasks, in the order of the config."""
    return list(_named(of, "train_metrics", "metric"))


def metric_names(config: PipelineConfig) -> list[str]:
    """Returns the names of the scores of an evaluation: metrics, losses, and the total loss.

    A custom model without losses in the config has others, which are not known here.
    """
    of = pipeline_tasks(config)
    return [*(m.name for m in named_metrics(of)), *loss_names(config)]


def loss_names(config: PipelineConfig) -> list[str]:
    """Returns the names of the losses of a pipeline, and of the total loss."""
    return [*(loss.name for loss in named_losses(pipeline_tasks(config))), TOTAL_LOSS]


def has_losses(config: PipelineConfig) -> bool:
    """Returns whether the config says which losses there are; a custom model may have its own."""
    return bool(named_losses(pipeline_tasks(config)))


def _named(of: Iterable[Task], listed: str, oneof: str) -> Iterator[Named[Any]]:
    blocks: dict[str, list[Task]] = {}
    for task in of:
        blocks.setdefault(task.place, []).append(task)
    # A list that several tasks share is gone through once.
    for place, sharing in blocks.items():
        configs = getattr(sharing[0].config, listed)
        kinds = [str(config.WhichOneof(oneof)) for config in configs]
        for index, config in enumerate(configs):
            kind = name = kinds[index]
            if kind == "recall_at_k" and kinds.count(kind) > 1:
                name = f"recall@{config.recall_at_k.top_k}"
            if kind == "custom_metric":
                # "package.module:Class" is shown as "Class".
                name = str(config.custom_metric.name).rpartition(":")[2]
            if not isinstance(config, LossConfig) and config.HasField("name"):
                name = str(config.name)
            label = config.label_name if config.HasField("label_name") else None
            for task in sharing:
                if label in (None, task.label):
                    where = f"{place}.{listed}[{index}]"
                    yield Named(name + task.suffix, kind, task, config, where)
