"""Checks of the `model_config`: groups of features, layers, losses and metrics."""

from __future__ import annotations

from raymon.config.model_groups import Groups, groups_of
from raymon.config.retrieval import is_retrieval
from raymon.config.rules import Rules
from raymon.config.source import Source
from raymon.config.tasks import has_towers
from raymon.config.validate_layers import validate_layers
from raymon.config.validate_losses import validate_losses
from raymon.config.validate_metrics import validate_metrics
from raymon.config.validate_rank_models import CHECKS
from raymon.config.validate_retrieval import validate_retrieval
from raymon.config.validate_towers import validate_towers
from raymon.protos import model_pb2
from raymon.protos.feature_pb2 import FeatureConfig
from raymon.protos.pipeline_pb2 import PipelineConfig


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
    if kind is not None and kind != "custom":
        halves_on_cpu = (
            config.train_config.mixed_precision == "FP16" and not config.ray_config.use_gpu
        )
        validate_layers(getattr(model, kind), rules.inner(kind), halves_on_cpu)
        if kind in CHECKS:
            CHECKS[kind](model, rules.inner(kind))
    if is_retrieval(model):
        validate_retrieval(config, rules)
    if has_towers(model):
        validate_towers(config, rules)
    losses = validate_losses(config, rules)
    if kind in ("deepfm", "wide_and_deep") and not getattr(model, kind).HasField("final"):
        # Without `final`, "wide" and "fm" add the same to every class: no probability changes.
        useless = "softmax_cross_entropy" in losses.values()
        why = f"for softmax_cross_entropy, as {kind} has no final; give it one"
        for index, group in enumerate(model.feature_groups):
            rules.warn(
                useless and group.group_name in ("wide", "fm"), f"feature_groups[{index}]", why
            )
    validate_metrics(config, losses, rules)


def _validate_groups(config: PipelineConfig, rules: Rules) -> None:
    model = config.model_config
    features = [_feature_name(feature) for feature in config.feature_configs]
    stubs = {name for name, c in zip(features, config.feature_configs, strict=True) if _is_stub(c)}
    wanted = groups_of(model)
    used: set[str] = set()
    given: list[str] = []
    for index, group in enumerate(model.feature_groups):
        place, name = f"feature_groups[{index}]", group.group_name
        rules.require(name not in given, f"{place}.group_name", f'"{name}" is given twice')
        given.append(name)
        rules.require(bool(group.feature_names), place, "has no feature_names; list features")
        for i, feature in enumerate(group.feature_names):
            here = f"{place}.feature_names[{i}]"
            rules.known(feature, here, features, "feature")
            rules.require(feature not in group.feature_names[:i], here, "is listed twice")
            rules.require(
                feature not in stubs,
                here,
                f'"{feature}" is only made for other features (stub_type), and no input of a model',
            )
        used.update(group.feature_names)
    if wanted is None:
        return
    _require_groups(model, wanted, rules)
    if wanted.one and not wanted.names:
        used = {*model.feature_groups[0].feature_names}
    top = Rules(rules.source, config, "")
    for index, feature in enumerate(features):
        unused = feature not in used and feature not in stubs
        top.warn(unused, f"feature_configs[{index}]", "it is in no feature group")


def _require_groups(model: model_pb2.ModelConfig, wanted: Groups, rules: Rules) -> None:
    """Checks that a model has the groups that it takes."""
    given = [group.group_name for group in model.feature_groups]
    is_the_one = wanted.one and len(given) == 1
    for index, group in enumerate(model.feature_groups):
        place, name = f"feature_groups[{index}]", group.group_name
        if wanted.names and not is_the_one and not wanted.free:
            rules.known(name, f"{place}.group_name", wanted.names, "group")
        right = wanted.type_of(name)
        rules.require(
            group.group_type == right,
            f"{place}.group_type",
            f'must be {model_pb2.FeatureGroupType.Name(right)} for group "{name}"',
        )
    if wanted.one and not wanted.names:
        kind = model.WhichOneof("model")
        rules.require(bool(given), "", f"has no feature_groups; {kind} takes one, of any name")
        why = f"{kind} takes the first group alone"
        rules.warn(len(given) > 1, "feature_groups[1]", why)
    for name in () if is_the_one else wanted.needed:
        rules.require(name in given, "feature_groups", f'have no group "{name}"')


def _feature_name(config: FeatureConfig) -> str:
    """Returns the name of a feature of any kind; empty if the config has none."""
    kind = config.WhichOneof("feature")
    return "" if kind is None else str(getattr(config, kind).feature_name)


def _is_stub(config: FeatureConfig) -> bool:
    """Whether a feature is only made for others."""
    kind = config.WhichOneof("feature")
    return kind is not None and bool(getattr(getattr(config, kind), "stub_type", False))
