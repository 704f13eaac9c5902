"""Checks of the settings of single models, beyond those that all layers have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from raymon.config.rules import Rules
from raymon.protos.layers_pb2 import MaskNetModule
from raymon.protos.model_pb2 import ModelConfig


def _validate_dlrm(model: ModelConfig, rules: Rules) -> None:
    dlrm, sizes = model.dlrm, {g.group_name: len(g.feature_names) for g in model.feature_groups}
    has_mlp, has_dense = dlrm.HasField("dense_mlp"), "dense" in sizes
    rules.require(has_mlp or not has_dense, "", 'has no dense_mlp for group "dense"; give one')
    rules.warn(has_mlp and not has_dense, "dense_mlp", 'there is no group "dense"')
    rules.require(
        dlrm.arch_with_sparse or has_dense or sizes["sparse"] > 1,
        "arch_with_sparse",
        'is false, and one feature of group "sparse" alone has no interaction; leave it out',
    )


def _validate_mask_net(model: ModelConfig, rules: Rules) -> None:
    validate_mask_net_module(model.mask_net.mask_net_module, rules.inner("mask_net_module"))


def validate_mask_net_module(config: MaskNetModule, rules: Rules) -> None:
    """Checks the mask blocks of a model.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    block, given = config.mask_block, config.mask_block.HasField("reduction_ratio")
    inner = rules.inner("mask_block")
    inner.positive("reduction_ratio")
    useless = given and block.HasField("aggregation_dim")
    inner.warn(useless, "aggregation_dim", "reduction_ratio is given")


def _validate_xdeepfm(model: ModelConfig, rules: Rules) -> None:
    rules.inner("cin").require(
        bool(model.xdeepfm.cin.cin_layer_size), "cin_layer_size", "is missing; list sizes of layers"
    )


def _validate_wukong(model: ModelConfig, rules: Rules) -> None:
    wukong, names = model.wukong, [group.group_name for group in model.feature_groups]
    has_dense = len(names) > 1 and "dense" in names
    has_mlp = wukong.HasField("dense_mlp")
    rules.require(has_mlp or not has_dense, "", 'has no dense_mlp for group "dense"; give one')
    why = 'there is no group "dense" beside "sparse"'
    rules.warn(has_mlp and not has_dense, "dense_mlp", why)
    rules.require(bool(wukong.wukong_layers), "", "has no wukong_layers; give one or more")


def _validate_towers(model: ModelConfig, rules: Rules) -> None:
    block = getattr(model, str(model.WhichOneof("model")))
    count = len(block.towers) + len(getattr(block, "din_towers", ()))
    rules.require(count > 0, "", "has no towers; give one for each group")


def _validate_rocket(model: ModelConfig, rules: Rules) -> None:
    rocket = model.rocket_launching
    useless = rocket.HasField("feature_distillation_function")
    useless &= not rocket.feature_based_distillation
    why = "feature_based_distillation is false"
    rules.warn(useless, "feature_distillation_function", why)
    rules.require(
        not rocket.feature_based_distillation
        or bool({*rocket.light_mlp.hidden_units} & {*rocket.booster_mlp.hidden_units}),
        "feature_based_distillation",
        "needs a layer of light_mlp that has the size of one of booster_mlp; there is none",
    )


CHECKS: Mapping[str, Callable[[ModelConfig, Rules], None]] = {
    "dlrm": _validate_dlrm,
    "mask_net": _validate_mask_net,
    "xdeepfm": _validate_xdeepfm,
    "wukong": _validate_wukong,
    "multi_tower": _validate_towers,
    "multi_tower_din": _validate_towers,
    "rocket_launching": _validate_rocket,
}
"""The checks of a model's own settings, by its field of model_config."""
