"""Checks of the `model_config`: groups of features, layers, losses and metrics."""

from __future__ import annotations

from raymon.config.feature_block import feature_blocks
from raymon.config.model_groups import Groups, groups_of
from raymon.config.retrieval import is_retrieval
from raymon.config.rules import Rules
from raymon.config.source import Source
from raymon.config.tasks import has_towers
from raymon.config.validate_layers import validate_layers
from raymon.config.validate_losses import validate_losses
from raymon.config.validate_metrics import validate_metrics
from raymon.config.validate_multi_task import MULTI_TASK_CHECKS
from raymon.config.validate_pareto import validate_pareto
from raymon.config.validate_rank_models import CHECKS
from raymon.config.validate_retrieval import validate_retrieval
from raymon.config.validate_sequences import (
    validate_sequence_features,
    validate_sequence_groups,
)
from raymon.config.validate_towers import validate_towers
from raymon.protos import model_pb2
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
        validate_layers(getattr(model, kind), rules.inner(kind), _halves_on_cpu(config))
        checks = {**CHECKS, **MULTI_TASK_CHECKS}
        if kind in checks:
            checks[kind](model, rules.inner(kind))
    if is_retrieval(model):
        validate_retrieval(config, rules)
    if has_towers(model):
        _validate_domain(config, rules.inner("pepnet"))
        validate_towers(config, rules, [model.pepnet.domain_input_name])
    rules.inner("variational_dropout").at_least(0, "regularization_lambda")
    useless = rules.has("variational_dropout") and kind == "custom"
    rules.warn(useless, "variational_dropout", "a custom model has its own inputs")
    losses = validate_losses(config, rules)
    validate_pareto(config, rules)
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
    blocks = list(feature_blocks(config.feature_configs))
    features = [block.name for block in blocks]
    stubs = {block.name for block in blocks if block.is_stub}
    validate_sequence_features(blocks, rules.source)
    wanted = groups_of(model)
    used: set[str] = set()
    given: list[str] = []
    for index, group in enumerate(model.feature_groups):
        place, name = f"feature_groups[{index}]", group.group_name
        rules.require(name not in given, f"{place}.group_name", f'"{name}" is given twice')
        given.append(name)
        has_features = bool(group.feature_names or group.sequence_groups)
        rules.require(has_features, place, "has no feature_names; list features")
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
        inner = rules.inner_item("feature_groups", index)
        used |= validate_sequence_groups(group, inner, features, _halves_on_cpu(config))
    if wanted is None:
        return
    _require_groups(model, wanted, rules)
    if wanted.one and not wanted.names:
        (first, *_) = model.feature_groups
        used = {*first.feature_names, *(n for s in first.sequence_groups for n in s.feature_names)}
    top = Rules(rules.source, config, "")
    for block in blocks:
        # Without the kind, unless the block is inside of a sequence.
        place = block.place if block.sequence is not None else block.place.partition(".")[0]
        unused = block.name not in used and not block.is_stub
        top.warn(unused, place, "it is in no feature group")


def _halves_on_cpu(config: PipelineConfig) -> bool:
    return config.train_config.mixed_precision == "FP16" and not config.ray_config.use_gpu


def _require_groups(model: model_pb2.ModelConfig, wanted: Groups, rules: Rules) -> None:
    """Checks that a model has the groups that it takes."""
    given = [group.group_name for group in model.feature_groups]
    is_the_one = wanted.one and len(given) == 1
    for index, group in enumerate(model.feature_groups):
        place, name = f"feature_groups[{index}]", group.group_name
        if wanted.names and not is_the_one and not wanted.free:
            rules.known(name, f"{place}.group_name", wanted.names, "group")
        if wanted.free and name not in wanted.names:
            kind = model.WhichOneof("model")
            rules.warn(True, place, f"{kind} has no tower of it")
            continue
        right = wanted.types_of(name)
        rules.require(
            group.group_type in right,
            f"{place}.group_type",
            f'must be {model_pb2.FeatureGroupType.Name(right[0])} for group "{name}"',
        )
    if wanted.one and not wanted.names:
        kind = model.WhichOneof("model")
        rules.require(bool(given), "", f"has no feature_groups; {kind} takes one, of any name")
        why = f"{kind} takes the first group alone"
        rules.warn(len(given) > 1, "feature_groups[1]", why)
    for name in () if is_the_one else wanted.needed:
        rules.require(name in given, "feature_groups", f'have no group "{name}"')


def _validate_domain(config: PipelineConfig, rules: Rules) -> None:
    """Checks that the feature that says the domain of a row is one."""
    if rules.has("domain_input_name"):
        features = [block.name for block in feature_blocks(config.feature_configs)]
        rules.known(rules.value("domain_input_name"), "domain_input_name", features, "feature")
