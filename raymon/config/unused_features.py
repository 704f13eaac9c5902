"""Features that no group has, and that have no embedding: no model reads them."""

from __future__ import annotations

from typing import Any

from raymon.protos.pipeline_pb2 import PipelineConfig


def leave_out_unused(config: PipelineConfig) -> None:
    """Makes features stubs that have no embedding_dim and are in no group.

    Args:
        config: Config whose groups name features without patterns. With a model that has no groups
            all features are left as they are.
    """
    groups: Any = config.model_config.feature_groups
    named = {name for group in groups for name in group.feature_names}
    named |= {n for group in groups for inner in group.sequence_groups for n in inner.feature_names}
    for feature in config.feature_configs if groups else ():
        kind = feature.WhichOneof("feature")
        if kind not in ("id_feature", "combo_feature"):
            continue
        block = getattr(feature, kind)
        if not block.HasField("embedding_dim") and block.feature_name not in named:
            block.stub_type = True
