"""Which groups of features each model takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from raymon.config.retrieval import is_retrieval, tower_groups
from raymon.protos.model_pb2 import (
    DEEP,
    JAGGED_SEQUENCE,
    SEQUENCE,
    WIDE,
    FeatureGroupType,
    ModelConfig,
)
from raymon.protos.multi_task_model_pb2 import PEPNet


@dataclass(frozen=True)
class Groups:
    """The groups of features that a model takes.

    Attributes:
        needed: Names of the groups that it needs.
        optional: Names of those that it does without.
        one: Whether a single group, of any name, does in place of these. A model that has no names
            takes the first group alone.
        free: Whether the names are free: the model's own settings name its groups.
        sequences: Names of the groups of sequences.
    """

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    one: bool = False
    free: bool = False
    sequences: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a group can have; any, if there are none."""
        return (*self.needed, *self.optional)

    def types_of(self, name: str) -> tuple[FeatureGroupType, ...]:
        """Returns the types that a group of the model may have."""
        if name in self.sequences:
            return SEQUENCE, JAGGED_SEQUENCE
        return (WIDE,) if name == "wide" and name in self.names else (DEEP,)


_ONE = Groups(one=True)

_TOWERS = ("multi_tower", "multi_tower_din")

GROUPS = {
    "dlrm": Groups(needed=("sparse",), optional=("dense",)),
    "deepfm": Groups(needed=("wide", "deep"), optional=("fm",)),
    "wide_and_deep": Groups(needed=("wide", "deep")),
    "dcn_v1": _ONE,
    "dcn_v2": _ONE,
    "xdeepfm": Groups(needed=("wide", "deep")),
    "mask_net": _ONE,
    "wukong": Groups(needed=("sparse",), optional=("dense",), one=True),
    "rocket_launching": _ONE,
    "simple_multi_task": _ONE,
    "mmoe": _ONE,
    "ple": _ONE,
    "dbmtl": _ONE,
}
"""Groups of each model that ships with raymon; a custom model takes any."""


def groups_of(config: ModelConfig) -> Groups | None:
    """Returns the groups that the model of a config takes; None for any."""
    if is_retrieval(config):
        names = [name for names in tower_groups(config).values() for name in names]
        histories = (config.mind.user_tower.history_input,) if config.HasField("mind") else ()
        return Groups(needed=tuple(dict.fromkeys(names)), sequences=histories)
    kind = str(config.WhichOneof("model"))
    if kind in _TOWERS:
        return _of_towers(getattr(config, kind))
    if kind == "pepnet":
        return _of_pepnet(config.pepnet)
    return GROUPS.get(kind)


def _of_towers(block: Any) -> Groups:
    towers = [tower.input for tower in block.towers]
    sequences = [tower.input for tower in getattr(block, "din_towers", ())]
    return Groups((*towers, *sequences), free=True, sequences=tuple(sequences))


def _of_pepnet(block: PEPNet) -> Groups:
    # A group that is named has to be there; those of the usual names may be left out.
    gates = ("domain_group_name", "uia_group_name")
    named = [getattr(block, name) for name in gates if block.HasField(name)]
    others = [getattr(block, name) for name in gates if not block.HasField(name)]
    return Groups(needed=(block.main_group_name, *named), optional=tuple(others))
