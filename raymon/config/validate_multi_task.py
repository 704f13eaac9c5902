"""Checks of the settings of models with task towers, beyond those of their towers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from raymon.config.rules import Rules
from raymon.config.validate_rank_models import validate_mask_net_module
from raymon.protos.model_pb2 import ModelConfig


def _validate_ple(model: ModelConfig, rules: Rules) -> None:
    networks = model.ple.extraction_networks
    rules.require(bool(networks), "", "has no extraction_networks; give one or more")
    for index, network in enumerate(networks):
        own = rules.inner_item("extraction_networks", index)
        task, shared = (
            network.task_expert_net.hidden_units[-1],
            network.share_expert_net.hidden_units[-1],
        )
        own.require(
            task == shared,
            "share_expert_net",
            f"ends in {shared} units, and task_expert_net in {task}; a gate mixes experts of one "
            "size",
        )


def _validate_dbmtl(model: ModelConfig, rules: Rules) -> None:
    dbmtl = model.dbmtl
    if dbmtl.HasField("mask_net"):
        validate_mask_net_module(dbmtl.mask_net, rules.inner("mask_net"))
    for name in ("gate_mlp", "num_expert"):
        useless = dbmtl.HasField(name) and not dbmtl.HasField("expert_mlp")
        rules.warn(useless, name, "there is no expert_mlp")


def _validate_pepnet(model: ModelConfig, rules: Rules) -> None:
    pepnet = model.pepnet
    groups = {group.group_name for group in model.feature_groups}
    layers, ratios = len(pepnet.ppnet_hidden_units), pepnet.ppnet_dropout_ratio
    has_gates = pepnet.uia_group_name in groups
    for name in ("epnet_hidden_unit", "epnet_gamma"):
        useless = pepnet.HasField(name) and pepnet.domain_group_name not in groups
        rules.warn(useless, name, f'there is no group "{pepnet.domain_group_name}"')
    why = f'there is no group "{pepnet.uia_group_name}"'
    rules.warn(layers > 0 and not has_gates, "ppnet_hidden_units", why)
    rules.warn(len(ratios) > 0 and not has_gates, "ppnet_dropout_ratio", why)
    for name in ("ppnet_activation", "ppnet_gamma"):
        rules.warn(pepnet.HasField(name) and not has_gates, name, why)
    rules.positive("epnet_gamma", "ppnet_gamma")
    rules.require(
        layers > 0 or not has_gates,
        "",
        f'has no ppnet_hidden_units for group "{pepnet.uia_group_name}"; list the sizes of layers',
    )
    rules.require(
        len(ratios) in (0, 1, layers),
        "ppnet_dropout_ratio",
        f"has {len(ratios)} entries for {layers} layers; give one for all, or one for each",
    )
    for index, ratio in enumerate(ratios):
        place = f"ppnet_dropout_ratio[{index}]"
        rules.require(0 <= ratio < 1, place, f"is {ratio:g}; must be in [0, 1)")
    useless = pepnet.HasField("task_domain_num") and not pepnet.HasField("domain_input_name")
    rules.warn(useless, "task_domain_num", "there is no domain_input_name")


MULTI_TASK_CHECKS: Mapping[str, Callable[[ModelConfig, Rules], None]] = {
    "ple": _validate_ple,
    "dbmtl": _validate_dbmtl,
    "pepnet": _validate_pepnet,
}
"""The checks of a model's own settings, by its field of model_config."""
