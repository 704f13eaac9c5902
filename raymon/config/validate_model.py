"""Checks of the model_config: groups of features, MLPs, losses and metrics."""

from __future__ import annotations

from torch import nn

from raymon.config.names import (
    Named,
    named_losses,
    named_metrics,
    named_train_metrics,
)
from raymon.config.rules import Rules
from raymon.config.source import Source
from raymon.protos import model_pb2
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig
from raymon.protos.model_pb2 import LossConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

_PATH = "model_config"

GROUPS = {
    "dlrm": {"dense": False, "sparse": True},
    "deepfm": {"wide": True, "fm": True, "deep": True},
}
"""The groups that a model takes, and whether it needs them."""

_BINARY, _CLASS, _REAL = "binary_cross_entropy", "softmax_cross_entropy", "l2_loss"

_LOSSES_OF_METRICS = {
    "auc": (_BINARY,),
    "grouped_auc": (_BINARY,),
    "normalized_entropy": (_BINARY,),
    "accuracy": (_BINARY, _CLASS),
    "multiclass_auc": (_CLASS,),
    "recall_at_k": (_CLASS,),
    "mean_absolute_error": (_BINARY, _REAL),
    "mean_squared_error": (_BINARY, _REAL),
}
"""The losses of a label, one of which it must have, for a metric to mean anything."""


def validate_model(config: PipelineConfig, source: Source) -> None:
    """Checks the model_config of a pipeline.

    Raises:
        ConfigError: the first thing that is wrong.
    """
    model = config.model_config
    rules = Rules(source, model, _PATH)
    kind = model.WhichOneof("model")
    names = [field.name for field in model.DESCRIPTOR.oneofs_by_name["model"].fields]
    rules.require(kind is not None, "", f"has no model; give one of {', '.join(names)}")
    rules.positive("num_class")
    _validate_groups(config, rules)
    if kind == "dlrm":
        _validate_mlp(model.dlrm.dense_mlp, rules.inner("dlrm").inner("dense_mlp"))
        _validate_mlp(model.dlrm.final, rules.inner("dlrm").inner("final"))
    elif kind == "deepfm":
        deepfm = rules.inner("deepfm")
        deepfm.positive("wide_embedding_dim")
        _validate_mlp(model.deepfm.deep, deepfm.inner("deep"))
        if model.deepfm.HasField("final"):
            _validate_mlp(model.deepfm.final, deepfm.inner("final"))
    losses = _validate_losses(config, rules)
    labels = list(config.data_config.label_fields)
    _validate_metrics("metrics", config, losses, source)
    _validate_metrics("train_metrics", config, losses, source)
    _require_different(named_metrics(model, labels), "metrics", rules)
    _require_different(named_train_metrics(model, labels), "train_metrics", rules)


def _validate_groups(config: PipelineConfig, rules: Rules) -> None:
    model = config.model_config
    features = [_feature_name(feature) for feature in config.feature_configs]
    wanted = GROUPS.get(str(model.WhichOneof("model")))
    used: set[str] = set()
    given: list[str] = []
    for index, group in enumerate(model.feature_groups):
        place, name = f"feature_groups[{index}]", group.group_name
        rules.require(name not in given, f"{place}.group_name", f'"{name}" is given twice')
        given.append(name)
        if wanted is not None:
            rules.known(name, f"{place}.group_name", wanted, "group")
            right = model_pb2.WIDE if name == "wide" else model_pb2.DEEP
            rules.require(
                group.group_type == right,
                f"{place}.group_type",
                f'must be {model_pb2.FeatureGroupType.Name(right)} for group "{name}"',
            )
        rules.require(bool(group.feature_names), place, "has no feature_names; list features")
        for i, feature in enumerate(group.feature_names):
            here = f"{place}.feature_names[{i}]"
            rules.known(feature, here, features, "feature")
            rules.require(feature not in group.feature_names[:i], here, "is listed twice")
        used.update(group.feature_names)
    if wanted is None:
        return
    for name, needed in wanted.items():
        rules.require(not needed or name in given, "feature_groups", f'have no group "{name}"')
    top = Rules(rules.source, config, "")
    for index, feature in enumerate(features):
        top.warn(feature not in used, f"feature_configs[{index}]", "it is in no feature group")
    if model.HasField("dlrm"):
        why = 'there is no group "dense"'
        rules.inner("dlrm").warn("dense" not in given, "dense_mlp", why)


def _feature_name(config: object) -> str:
    for kind in ("id_feature", "raw_feature"):
        if config.HasField(kind):  # type: ignore[attr-defined]
            return str(getattr(config, kind).feature_name)
    return ""


def _validate_mlp(config: model_pb2.MLP, rules: Rules) -> None:
    rules.require(bool(config.hidden_units), "", "has no hidden_units; list the sizes of layers")
    for index, units in enumerate(config.hidden_units):
        rules.require(units > 0, f"hidden_units[{index}]", "is 0; must be at least 1")
    layers, ratios = len(config.hidden_units), len(config.dropout_ratio)
    rules.require(
        ratios in (0, 1, layers),
        "dropout_ratio",
        f"has {ratios} entries for {layers} layers; give one for all layers, or one for each",
    )
    for index, ratio in enumerate(config.dropout_ratio):
        place = f"dropout_ratio[{index}]"
        rules.require(0 <= ratio < 1, place, f"is {ratio:g}; must be in [0, 1)")
    rules.require(
        _is_activation(config.activation),
        "activation",
        f'"{config.activation}" is no activation of torch; give a class as "nn.ReLU"',
    )


def _is_activation(name: str) -> bool:
    cls = getattr(nn, name.removeprefix("nn."), None)
    return isinstance(cls, type) and cls.__module__ == "torch.nn.modules.activation" and _plain(cls)


def _plain(cls: type) -> bool:
    try:
        cls()
    except TypeError:
        return False
    return True


def _validate_losses(config: PipelineConfig, rules: Rules) -> dict[str, str]:
    """The kind of loss that each label has."""
    model, labels = config.model_config, list(config.data_config.label_fields)
    _require_kinds("losses", "loss", config, rules)
    losses = named_losses(model, labels)
    _require_different(losses, "losses", rules)
    kinds: dict[str, str] = {}
    for loss in losses:
        place = f"losses[{loss.position}]"
        other = kinds.setdefault(loss.label, loss.kind)
        rules.require(
            other == loss.kind,
            place,
            f"label {loss.label} has {other} already; give each loss a label_name of its own",
        )
        if loss.kind == _CLASS:
            rules.require(model.num_class > 1, place, "needs num_class to be 2 or more")
        if loss.kind != _REAL:
            rules.inner_item("losses", loss.position).inner(loss.kind).within(
                "label_smoothing", 0, 1
            )
    if not model.HasField("custom"):
        for label in labels:
            missing = label not in kinds
            rules.require(not missing, "", f'label "{label}" has no loss; give one in losses')
        useless = model.num_class > 1 and _CLASS not in kinds.values()
        rules.warn(useless, "num_class", f"no loss is {_CLASS}")
    return kinds


def _validate_metrics(
    listed: str, config: PipelineConfig, losses: dict[str, str], source: Source
) -> None:
    model, labels = config.model_config, list(config.data_config.label_fields)
    rules = Rules(source, model, _PATH)
    _require_kinds(listed, "metric", config, rules)
    metrics = (
        named_metrics(model, labels) if listed == "metrics" else named_train_metrics(model, labels)
    )
    for metric in metrics:
        place = f"{listed}[{metric.position}]"
        allowed = _LOSSES_OF_METRICS[metric.kind]
        loss = losses.get(metric.label)
        rules.require(
            loss is None or loss in allowed,
            place,
            f"{metric.kind} is of a label with {' or '.join(allowed)}, "
            f"and {metric.label} has {loss}",
        )
        _validate_metric(metric, rules.inner_item(listed, metric.position), model.num_class)


def _validate_metric(
    metric: Named[MetricConfig] | Named[TrainMetricConfig], rules: Rules, num_class: int
) -> None:
    own = rules.inner(metric.kind)
    if metric.kind in ("auc", "multiclass_auc"):
        own.at_least(2, "thresholds")
    if metric.kind == "multiclass_auc":
        own.one_of("average", ("macro", "weighted"))
    if metric.kind == "normalized_entropy":
        own.positive("eta")
        own.within("eta", 0, 0.5)
    if metric.kind == "accuracy":
        own.within("threshold", 0, 1, with_high=True)
    if metric.kind in ("recall_at_k", "accuracy"):
        own.positive("top_k")
    if metric.kind == "recall_at_k":
        own.within("top_k", 1, num_class, with_high=True)
    if isinstance(metric.config, TrainMetricConfig):
        rules.positive("decay_step")
        rules.within("decay_rate", 0, 1)


def _require_kinds(listed: str, oneof: str, config: PipelineConfig, rules: Rules) -> None:
    """Every entry says what it is, and is of a label that there is."""
    labels = config.data_config.label_fields
    for index, entry in enumerate(getattr(config.model_config, listed)):
        names = ", ".join(field.name for field in entry.DESCRIPTOR.oneofs_by_name[oneof].fields)
        given = entry.WhichOneof(oneof) is not None
        rules.require(given, f"{listed}[{index}]", f"is empty; give one of {names}")
        if entry.HasField("label_name"):
            place = f"{listed}[{index}].label_name"
            rules.known(entry.label_name, place, labels, "label")


def _require_different(
    entries: list[Named[LossConfig]] | list[Named[MetricConfig]] | list[Named[TrainMetricConfig]],
    listed: str,
    rules: Rules,
) -> None:
    names: set[str] = set()
    for entry in entries:
        place = f"{listed}[{entry.position}]"
        rules.require(entry.name not in names, place, f"{entry.name} is given twice")
        names.add(entry.name)
