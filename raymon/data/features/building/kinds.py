"""The builder of each kind of feature, by the name of its block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from raymon.config import FeatureBlock, column_fields
from raymon.data.features.building.bool_mask_feature import build_bool_mask_feature
from raymon.data.features.building.combine_feature import build_combine_feature
from raymon.data.features.building.combo_feature import build_combo_feature
from raymon.data.features.building.context import Context
from raymon.data.features.building.custom_feature import build_custom_feature
from raymon.data.features.building.expr_feature import build_expr_feature
from raymon.data.features.building.id_feature import build_id_feature
from raymon.data.features.building.kv_dot_product import build_kv_dot_product
from raymon.data.features.building.lookup_feature import build_lookup_feature
from raymon.data.features.building.match_feature import build_match_feature
from raymon.data.features.building.overlap_feature import build_overlap_feature
from raymon.data.features.building.raw_feature import build_raw_feature
from raymon.data.features.building.regex_replace_feature import build_regex_replace_feature
from raymon.data.features.building.tokenize_feature import build_tokenize_feature
from raymon.data.features.feature import Feature

Builder = Callable[[Any, Context], Feature]
"""A function from a block, and what is around it, to a feature; it raises ConfigError."""

BUILDERS: Mapping[str, Builder] = {
    "id_feature": build_id_feature,
    "raw_feature": build_raw_feature,
    "combo_feature": build_combo_feature,
    "lookup_feature": build_lookup_feature,
    "match_feature": build_match_feature,
    "expr_feature": build_expr_feature,
    "overlap_feature": build_overlap_feature,
    "kv_dot_product": build_kv_dot_product,
    "bool_mask_feature": build_bool_mask_feature,
    "combine_feature": build_combine_feature,
    "regex_replace_feature": build_regex_replace_feature,
    "tokenize_feature": build_tokenize_feature,
    "custom_feature": build_custom_feature,
}


def names_columns(block: FeatureBlock) -> bool:
    """Whether a feature says which columns it is made from."""
    return all(getattr(block.config, field) for field in column_fields(block.kind))
