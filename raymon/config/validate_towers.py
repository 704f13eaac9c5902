"""Checks of the task towers of a model: names, labels and weights."""

from __future__ import annotations

from collections.abc import Iterable

from raymon.config.rules import Rules
from raymon.config.tasks import Tower, pipeline_tasks, towers_of
from raymon.config.validate_metrics import NAME
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.task_pb2 import BayesTaskTower


def validate_towers(config: PipelineConfig, rules: Rules, used: Iterable[str] = ()) -> None:
    """Checks the towers of a model that has some, and warns of what they leave without effect.

    Args:
        config: Config of the pipeline.
        rules: Rules of its `model_config`.
        used: Columns of `label_fields` that the model has another use for.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    kind = str(config.model_config.WhichOneof("model"))
    block = rules.inner(kind)
    towers = towers_of(config.model_config)
    block.require(bool(towers), "", "has no task_towers; give one for each task")
    names: set[str] = set()
    for index, tower in enumerate(towers):
        own, name = block.inner_item("task_towers", index), tower.tower_name
        own.require(
            NAME.fullmatch(name) is not None,
            "tower_name",
            f'is "{name}"; a name is of letters, digits, "_", "-", "." and "@"',
        )
        own.require(name not in names, "tower_name", f'"{name}" is given twice; give another')
        _validate_label(config, index, tower, own)
        _validate_weights(config, tower, own)
        if isinstance(tower, BayesTaskTower):
            _validate_relations(tower, names, own)
        names.add(name)
    for listed in ("losses", "metrics", "train_metrics"):
        given = bool(rules.value(listed))
        rules.warn(given, f"{listed}[0]", f"{kind} takes {listed} from its task_towers")
    rules.warn(rules.has("num_class"), "num_class", f"{kind} takes it from its task_towers")
    _warn_of_unused(config, kind, {*used}, rules)


def _validate_label(config: PipelineConfig, index: int, tower: Tower, rules: Rules) -> None:
    labels = config.data_config.label_fields
    if tower.HasField("label_name"):
        rules.known(tower.label_name, "label_name", labels, "label")
    else:
        rules.require(
            index < len(labels),
            "",
            f"has no label_name, and data_config.label_fields no label at its place, {index + 1}; "
            "give it a label_name",
        )
    if tower.HasField("task_space_indicator_label"):
        name = "task_space_indicator_label"
        rules.known(tower.task_space_indicator_label, name, labels, "label")


def _validate_weights(config: PipelineConfig, tower: Tower, rules: Rules) -> None:
    rules.positive("num_class")
    spaces = ("in_task_space_weight", "out_task_space_weight")
    rules.at_least(0, "weight", *spaces)
    has_space = tower.HasField("task_space_indicator_label")
    for name in spaces:
        why = "there is no task_space_indicator_label"
        rules.warn(tower.HasField(name) and not has_space, name, why)
    rules.require(
        not has_space or tower.in_task_space_weight > 0 or tower.out_task_space_weight > 0,
        "out_task_space_weight",
        "is 0, like in_task_space_weight; no row would be left",
    )
    if tower.HasField("sample_weight_name"):
        columns, name = config.data_config.sample_weight_fields, tower.sample_weight_name
        rules.require(
            name in columns,
            "sample_weight_name",
            f'"{name}" is none of data_config.sample_weight_fields; list it there',
        )


def _validate_relations(tower: BayesTaskTower, before: Iterable[str], rules: Rules) -> None:
    earlier = list(before)
    for index, name in enumerate(tower.relation_tower_names):
        place = f"relation_tower_names[{index}]"
        which = ", ".join(earlier) or "none"
        rules.require(
            name in earlier, place, f'"{name}" is no tower before this one; there are {which}'
        )
        rules.require(name not in tower.relation_tower_names[:index], place, "is listed twice")
    useless = bool(tower.relation_tower_names) and not tower.HasField("relation_mlp")
    rules.warn(useless, "relation_tower_names[0]", "there is no relation_mlp")


def _warn_of_unused(config: PipelineConfig, kind: str, used: set[str], rules: Rules) -> None:
    of, data = pipeline_tasks(config), Rules(rules.source, config, "").inner("data_config")
    labels = used | {task.label for task in of} | {task.indicator for task in of if task.indicator}
    weights = {task.sample_weight for task in of}
    for index, label in enumerate(config.data_config.label_fields):
        why = f"no task tower of {kind} has it as its label"
        data.warn(label not in labels, f"label_fields[{index}]", why)
    for index, column in enumerate(config.data_config.sample_weight_fields):
        why = f"no task tower of {kind} has it as its sample_weight_name"
        data.warn(column not in weights, f"sample_weight_fields[{index}]", why)
