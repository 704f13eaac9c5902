"""Checks of losses: whether each fits its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from raymon.config.names import (
    Named,
    named_losses,
)
from raymon.config.retrieval import is_retrieval
from raymon.config.rules import Rules
from raymon.config.source import Source
from raymon.config.tasks import Task, has_towers, model_labels, pipeline_tasks
from raymon.protos.loss_pb2 import LossConfig
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig
from raymon.protos.model_pb2 import ModelConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

_BINARY, _CLASS, _REAL = "binary_cross_entropy", "softmax_cross_entropy", "l2_loss"

_REMEDY = "give each loss a label_name of its own"

LIKE: Mapping[str, str] = MappingProxyType(
    {
        _BINARY: _BINARY,
        _CLASS: _CLASS,
        _REAL: _REAL,
        "binary_focal_loss": _BINARY,
        "jrc_loss": _CLASS,
    }
)
"""By loss, the loss whose labels and predictions it takes."""


def validate_losses(config: PipelineConfig, rules: Rules) -> dict[str, str]:
    """Checks the losses of a pipeline.

    Args:
        config: Config of the pipeline.
        rules: Rules of its `model_config`.

    Returns:
        By task, the loss of `LIKE` whose predictions it has; only a custom model may leave a task
        without one.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    of = pipeline_tasks(config)
    blocks = blocks_of(of, rules)
    for block in blocks.values():
        require_kinds("losses", "loss", config, block)
    losses = named_losses(of)
    require_different(losses, rules)
    kinds: dict[str, str] = {}
    of_kinds: dict[str, str] = {}
    for loss in losses:
        own = rules_of(loss, rules.source)
        kind = LIKE[loss.kind]
        other = kinds.setdefault(loss.task.name, kind)
        if {kind, other} == {_BINARY, _CLASS} and loss.task.num_class == 2:
            # The difference of the two scores is the logit of a binary loss.
            kinds[loss.task.name] = _CLASS
        else:
            own.require(kind == other, "", _beside(loss, of_kinds.get(loss.task.name)))
        of_kinds.setdefault(loss.task.name, loss.kind)
        _validate_loss(loss, own)
    if not config.model_config.HasField("custom"):
        for task in of:
            what = f'tower "{task.name}"' if task.tower else f'label "{task.name}"'
            missing = task.name not in kinds
            blocks[task.place].require(not missing, "", f"{what} has no loss; give one in losses")
        if not has_towers(config.model_config):
            _warn_of_untrained(config, rules)
        for task in of:
            useless = task.num_class > 1 and _CLASS not in kinds.values()
            if task.tower is not None:
                useless = task.num_class > 1 and kinds[task.name] != _CLASS
            blocks[task.place].warn(useless, "num_class", f"no loss is {_CLASS}")
    return kinds


def rules_of(
    named: Named[LossConfig] | Named[MetricConfig] | Named[TrainMetricConfig], source: Source
) -> Rules:
    """Returns the rules of a loss or a metric."""
    return Rules(source, named.config, named.place)


def blocks_of(of: Sequence[Task], rules: Rules) -> dict[str, Rules]:
    """Returns the rules of the blocks that have losses and metrics, by path."""
    blocks = {task.place: Rules(rules.source, task.config, task.place) for task in of}
    return blocks or {rules.path: rules}


def _beside(loss: Named[LossConfig], other: str | None) -> str:
    if loss.task.tower is None:
        return f"label {loss.label} has {other} already; {_REMEDY}"
    binary = {loss.kind, other} & {_BINARY, "binary_focal_loss"}
    remedy = (
        "set num_class: 2" if binary and "l2_loss" not in (loss.kind, other) else "leave it out"
    )
    return f'tower "{loss.task.name}" has {other} already, which takes other predictions; {remedy}'


def _validate_loss(loss: Named[LossConfig], own: Rules) -> None:
    num_class = loss.task.num_class
    if loss.kind == _CLASS:
        # Models may score candidates, of which a batch can have any number.
        model = loss.task.config
        ok = num_class > 1 or (
            isinstance(model, ModelConfig) and (model.HasField("custom") or is_retrieval(model))
        )
        own.require(ok, "", "needs num_class to be 2 or more")
    inner = own.inner(loss.kind)
    if loss.kind in (_BINARY, _CLASS):
        inner.within("label_smoothing", 0, 1)
    if loss.kind == _BINARY:
        inner.positive("pos_weight")
    if loss.kind == "jrc_loss":
        own.require(num_class == 2, "", "needs num_class to be 2")
        inner.within("alpha", 0, 1, with_high=True)
    if loss.kind == "binary_focal_loss":
        inner.at_least(0, "gamma")
        inner.positive("alpha")
        inner.within("alpha", 0, 1)
    own.at_least(0, "weight")


def _warn_of_untrained(config: PipelineConfig, rules: Rules) -> None:
    trained, kind = model_labels(config), config.model_config.WhichOneof("model")
    labels = config.data_config.label_fields
    rest = [index for index, label in enumerate(labels) if label not in trained]
    if rest:
        learnt = " and ".join(f'"{label}"' for label in trained)
        Rules(rules.source, config, "").inner("data_config").warn(
            True,
            f"label_fields[{rest[0]}]",
            f"{kind} learns {learnt} alone; losses with a label_name make it learn others",
        )


def require_kinds(listed: str, oneof: str, config: PipelineConfig, rules: Rules) -> None:
    """Checks that every entry of a block has a kind, and a label that is trained."""
    labels, trained = config.data_config.label_fields, model_labels(config)
    for index, entry in enumerate(rules.value(listed)):
        names = ", ".join(field.name for field in entry.DESCRIPTOR.oneofs_by_name[oneof].fields)
        given = entry.WhichOneof(oneof) is not None
        rules.require(given, f"{listed}[{index}]", f"is empty; give one of {names}")
        if entry.HasField("label_name"):
            place = f"{listed}[{index}].label_name"
            rules.require(
                not has_towers(config.model_config),
                place,
                "is the label of the tower; leave it out",
            )
            rules.known(entry.label_name, place, labels, "label")
            rules.require(
                entry.label_name in trained,
                place,
                f"{entry.label_name} is not trained; give it a loss with this label_name",
            )


def require_different(
    entries: list[Named[LossConfig]] | list[Named[MetricConfig]] | list[Named[TrainMetricConfig]],
    rules: Rules,
) -> None:
    """Checks that no two losses, or metrics, have one name."""
    names: set[str] = set()
    for entry in entries:
        remedy = f'give one of them a name of its own, as name: "{entry.name}_2"'
        if isinstance(entry.config, LossConfig):
            remedy = "leave one out" if entry.task.tower else _REMEDY
        rules_of(entry, rules.source).require(
            entry.name not in names, "", f"{entry.name} is given twice; {remedy}"
        )
        names.add(entry.name)
