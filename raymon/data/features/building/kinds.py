"""The builder of each kind of feature, by the name of its block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from raymon.config import FeatureBlock, column_fields
from raymon.data.features.building.combo_feature import build_combo_feature
from raymon.data.features.building.context import Context
from raymon.data.features.building.custom_feature import build_custom_feature
from raymon.data.features.building.id_feature import build_id_feature
from raymon.data.features.building.lookup_feature import build_lookup_feature
from raymon.data.features.building.raw_feature import build_raw_feature
from raymon.data.features.feature import Feature

Builder = Callable[[Any, Context], Feature]
"""A function from a block, and what is around it, to a feature; it raises ConfigError."""

BUILDERS: Mapping[str, Builder] = {
    "id_feature": build_id_feature,
    "raw_feature": build_raw_feature,
    "combo_feature": build_combo_feature,
    "lookup_feature": build_lookup_feature,
    "custom_feature": build_custom_feature,
}


def names_columns(block: FeatureBlock) -> bool:
    """Whether a feature says which columns it is made from."""
    return all(getattr(block.config, field) for field in column_fields(block.kind))
