"""The tasks of a model: its labels, or its towers.

A model with `task_towers` has a task for each tower, whose losses, metrics and predictions have
names that end in `_{tower_name}`. Any other model has a task for each label that it learns: if
there is one label, names are plain, as `auc`; if there are several, they end in the label, as
`auc_is_click`. Of `rocket_launching`, whose light network predicts, they then end in `_light`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from raymon.protos.model_pb2 import ModelConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.task_pb2 import BayesTaskTower, TaskTower

Tower = TaskTower | BayesTaskTower

LIGHT = "_light"
"""What the names of the light network of `rocket_launching` end in."""

BOOSTER = "_booster"
"""What the names of its booster network end in."""


@dataclass(frozen=True)
class Task:
    """What a model learns of one label.

    Attributes:
        name: Name of the tower, or of the label.
        suffix: What the names of its losses, metrics and predictions end in, as `_ctr`; may be "".
        label: Column of its label.
        config: Block of the config that has its losses, its metrics and its `num_class`.
        place: Path of that block.
        sample_weight: Column of the weights of rows; None if each weighs 1.
    """

    name: str
    suffix: str
    label: str
    config: ModelConfig | Tower
    place: str
    sample_weight: str | None = None

    @property
    def tower(self) -> Tower | None:
        """The tower of the task; None if the model has none."""
        return None if isinstance(self.config, ModelConfig) else self.config

    @property
    def num_class(self) -> int:
        """The number of classes that its losses and metrics are built for."""
        return int(self.config.num_class)

    @property
    def weight(self) -> float:
        """The factor of its losses."""
        return 1.0 if self.tower is None else float(self.tower.weight)

    @property
    def indicator(self) -> str | None:
        """The label that says which rows are in the space of the task; None if all are."""
        tower = self.tower
        if tower is None or not tower.HasField("task_space_indicator_label"):
            return None
        return str(tower.task_space_indicator_label)


def has_towers(config: ModelConfig) -> bool:
    """Returns whether a model is of a kind that has task towers."""
    kind = config.WhichOneof("model")
    return kind is not None and "task_towers" in getattr(config, kind).DESCRIPTOR.fields_by_name


def towers_of(config: ModelConfig) -> Sequence[Tower]:
    """Returns the task towers of a model; none if it is of a kind that has none."""
    towers: Sequence[Tower] = ()
    if has_towers(config):
        towers = getattr(config, str(config.WhichOneof("model"))).task_towers
    return towers


def tasks_of(
    config: ModelConfig, labels: Sequence[str], sample_weights: Sequence[str] = ()
) -> list[Task]:
    """Returns the tasks of a model.

    Args:
        config: The model_config of a pipeline.
        labels: Labels that the model learns, or, if it has towers, all of `label_fields`.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each. Towers
            name theirs.
    """
    if has_towers(config):
        return list(_of_towers(config, labels))
    columns = [*sample_weights] * (len(labels) if len(sample_weights) == 1 else 1)
    network = LIGHT if config.HasField("rocket_launching") else ""
    return [
        Task(
            label,
            (f"_{label}" if len(labels) > 1 else "") + network,
            label,
            config,
            "model_config",
            columns[index] if columns else None,
        )
        for index, label in enumerate(labels)
    ]


def pipeline_tasks(config: PipelineConfig) -> list[Task]:
    """Returns the tasks of the model of a pipeline."""
    return tasks_of(config.model_config, model_labels(config), trained_weights(config))


def model_labels(config: PipelineConfig) -> list[str]:
    """Returns the labels that the model of a pipeline is given.

    A custom model learns all of `label_fields`, and one with towers chooses among them. Any other
    has one task: it learns the first label, or the labels that its losses name by `label_name`.
    """
    labels = list(config.data_config.label_fields)
    model = config.model_config
    if model.HasField("custom") or has_towers(model):
        return labels
    named = {loss.label_name for loss in model.losses if loss.HasField("label_name")}
    return [label for label in labels if label in named] if named else labels[:1]


def trained_labels(config: PipelineConfig) -> list[str]:
    """Returns the labels that the model of a pipeline learns, in the order of `label_fields`."""
    labels = model_labels(config)
    if not has_towers(config.model_config):
        return labels
    trained = {task.label for task in pipeline_tasks(config)}
    return [label for label in labels if label in trained]


def trained_weights(config: PipelineConfig) -> list[str]:
    """Returns the sample weights of the model of a pipeline.

    For a model with towers these are the columns that towers name, each once; for another no
    column, one for all labels, or one for each.
    """
    columns = list(config.data_config.sample_weight_fields)
    if has_towers(config.model_config):
        towers = towers_of(config.model_config)
        named = (t.sample_weight_name for t in towers if t.HasField("sample_weight_name"))
        return list(dict.fromkeys(named))
    if len(columns) < 2:
        return columns
    by_label = dict(zip(config.data_config.label_fields, columns, strict=True))
    return [by_label[label] for label in model_labels(config)]


def _of_towers(config: ModelConfig, labels: Sequence[str]) -> Iterator[Task]:
    kind = str(config.WhichOneof("model"))
    for index, tower in enumerate(towers_of(config)):
        label = tower.label_name
        if not tower.HasField("label_name") and index < len(labels):
            label = labels[index]
        yield Task(
            tower.tower_name,
            f"_{tower.tower_name}",
            label,
            tower,
            f"model_config.{kind}.task_towers[{index}]",
            tower.sample_weight_name if tower.HasField("sample_weight_name") else None,
        )
