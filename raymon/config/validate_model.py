"""Checks of the `model_config`: groups of features, and MLPs."""

from __future__ import annotations

from raymon.config.rules import Rules
from raymon.config.source import Source
from raymon.config.validate_losses import validate_losses, validate_metrics
from raymon.protos import layers_pb2, model_pb2
from raymon.protos.feature_pb2 import FeatureConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

GROUPS = {
    "dlrm": {"dense": False, "sparse": True},
    "deepfm": {"wide": True, "fm": False, "deep": True},
}
"""Groups of features that each model takes, and whether it needs them."""


def validate_model(config: PipelineConfig, source: Source) -> None:
    """Checks the `model_config` of a pipeline.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    model = config.model_config
    rules = Rules(source, model, "model_config")
    kind = model.WhichOneof("model")
    names = [field.name for field in model.DESCRIPTOR.oneofs_by_name["model"].fields]
    rules.require(kind is not None, "", f"has no model; give one of {', '.join(names)}")
    rules.positive("num_class")
    _validate_groups(config, rules)
    halves_on_cpu = config.train_config.mixed_precision == "FP16" and not config.ray_config.use_gpu
    if kind == "dlrm":
        _validate_dlrm(model, rules.inner("dlrm"), halves_on_cpu)
    elif kind == "deepfm":
        deepfm = rules.inner("deepfm")
        deepfm.positive("wide_embedding_dim")
        _validate_mlp(model.deepfm.deep, deepfm.inner("deep"), halves_on_cpu)
        if model.deepfm.HasField("final"):
            _validate_mlp(model.deepfm.final, deepfm.inner("final"), halves_on_cpu)
    losses = validate_losses(config, rules)
    if kind == "deepfm" and not model.deepfm.HasField("final"):
        # Without `final`, "wide" and "fm" add the same to every class: no probability changes.
        useless = "softmax_cross_entropy" in losses.values()
        why = "for softmax_cross_entropy, as deepfm has no final; give it one"
        for index, group in enumerate(model.feature_groups):
            rules.warn(
                useless and group.group_name in ("wide", "fm"), f"feature_groups[{index}]", why
            )
    validate_metrics(config, losses, rules)


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


def _validate_dlrm(model: model_pb2.ModelConfig, rules: Rules, halves_on_cpu: bool) -> None:
    dlrm, sizes = model.dlrm, {g.group_name: len(g.feature_names) for g in model.feature_groups}
    has_mlp, has_dense = dlrm.HasField("dense_mlp"), "dense" in sizes
    rules.require(has_mlp or not has_dense, "", 'has no dense_mlp for group "dense"; give one')
    rules.warn(has_mlp and not has_dense, "dense_mlp", 'there is no group "dense"')
    if has_mlp:
        _validate_mlp(dlrm.dense_mlp, rules.inner("dense_mlp"), halves_on_cpu)
    rules.require(
        dlrm.arch_with_sparse or has_dense or sizes["sparse"] > 1,
        "arch_with_sparse",
        'is false, and one feature of group "sparse" alone has no interaction; leave it out',
    )
    _validate_mlp(dlrm.final, rules.inner("final"), halves_on_cpu)


def _feature_name(config: FeatureConfig) -> str:
    """Returns the name of a feature of any kind; empty if the config has none."""
    kind = config.WhichOneof("feature")
    return "" if kind is None else str(getattr(config, kind).feature_name)


def _validate_mlp(config: layers_pb2.MLP, rules: Rules, halves_on_cpu: bool) -> None:
    rules.require(bool(config.hidden_units), "", "has no hidden_units; list the sizes of layers")
    for index, units in enumerate(config.hidden_units):
        rules.require(units > 0, f"hidden_units[{index}]", "is 0; must be at least 1")
    # Imported only where a model is checked: torch takes a second to import, and whoever only looks
    # at runs does without it.
    from raymon.config.activations import is_activation, takes_halves

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
        is_activation(config.activation),
        "activation",
        f'"{config.activation}" is no activation of torch that takes numbers one by one; give a '
        'class as "nn.ReLU"',
    )
    rules.require(
        not halves_on_cpu or takes_halves(config.activation),
        "activation",
        f'"{config.activation}" takes no FP16 on the CPU; give another, or train in BF16',
    )
