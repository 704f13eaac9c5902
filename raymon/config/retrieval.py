"""Which part of a config is a model of retrieval, and which groups of features its towers have."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.protos.match_model_pb2 import DAT, DSSM, MIND
from raymon.protos.model_pb2 import FeatureGroup, ModelConfig

RETRIEVAL = ("dssm", "dssm_v2", "dat", "mind")
"""The models of two towers, by their field of model_config."""


def is_retrieval(config: ModelConfig) -> bool:
    """Returns whether a model has towers, whose rows choose among candidates."""
    return config.WhichOneof("model") in RETRIEVAL


def retrieval_settings(config: ModelConfig) -> DSSM | DAT | MIND:
    """Returns the settings of a model of retrieval.

    Raises:
        ValueError: The model is none.
    """
    kind = config.WhichOneof("model")
    if kind not in RETRIEVAL:
        raise ValueError(f"{kind} is no model of retrieval")
    settings: DSSM | DAT | MIND = getattr(config, kind)
    return settings


def tower_groups(config: ModelConfig) -> Mapping[str, tuple[str, ...]]:
    """Returns the groups of features of each tower, "user" and "item", of a model of retrieval."""
    settings = retrieval_settings(config)
    user, item = settings.user_tower, settings.item_tower
    if isinstance(settings, DAT):
        return {
            "user": (user.input, settings.user_tower.augment_input),
            "item": (item.input, settings.item_tower.augment_input),
        }
    if isinstance(settings, MIND):
        return {"user": (user.input, settings.user_tower.history_input), "item": (item.input,)}
    return {"user": (user.input,), "item": (item.input,)}


def group_features(group: FeatureGroup) -> list[str]:
    """Returns the names of all features of a group, those of its sequences included."""
    inner = [name for sequence in group.sequence_groups for name in sequence.feature_names]
    return [*group.feature_names, *inner]
