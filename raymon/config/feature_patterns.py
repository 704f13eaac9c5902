"""Patterns of feature names in groups, in place of which the names that match are put."""

from __future__ import annotations

from fnmatch import fnmatchcase

from raymon.config.feature_block import FeatureBlock, feature_blocks
from raymon.config.source import Source
from raymon.protos.model_pb2 import WIDE, FeatureGroup, FeatureGroupType
from raymon.protos.pipeline_pb2 import PipelineConfig

_WITH_EMBEDDINGS = {("dlrm", "sparse"), ("deepfm", "fm")}
"""Groups of models that take nothing but embeddings; those of type WIDE do so too."""

_WITHOUT_EMBEDDINGS = {("dlrm", "dense")}
"""Groups of models that take nothing but numbers."""


def resolve_patterns(config: PipelineConfig, source: Source) -> None:
    """Replaces patterns in groups by the features whose names match and that fit the group.

    "*" stands for any characters, "?" for one, as in the names of files. What fits are features
    with an embedding in a group that takes only those, those without in the group "dense" of dlrm,
    and others than sequences in any other group. A name that is also listed itself stays where it
    is listed.

    Args:
        config: Config, which is changed.
        source: Source of the config.

    Raises:
        ConfigError: A pattern matches no feature that fits.
    """
    features = list(feature_blocks(config.feature_configs))
    names = [feature.name for feature in features]
    model = str(config.model_config.WhichOneof("model"))
    for index, group in enumerate(config.model_config.feature_groups):
        patterns = [n for n in group.feature_names if _is_pattern(n) and n not in names]
        if not patterns:
            continue
        fitting = [feature.name for feature in features if _fits(feature, model, group)]
        resolved: list[str] = []
        for place, name in enumerate(group.feature_names):
            if name not in patterns:
                resolved.append(name)
                continue
            matching = [each for each in fitting if fnmatchcase(each, name)]
            if not matching:
                others = [each for each in names if fnmatchcase(each, name)]
                why = (
                    f"and those that it matches, such as {others[0]}, do not fit the group"
                    if others
                    else f"the features are {', '.join(names[:20])}"
                )
                raise source.error(
                    f"model_config.feature_groups[{index}].feature_names[{place}]",
                    f'"{name}" matches no feature; {why}',
                )
            listed = {*resolved, *group.feature_names[:]}
            resolved += [each for each in matching if each not in listed]
        group.feature_names[:] = resolved


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name


def _fits(feature: FeatureBlock, model: str, group: FeatureGroup) -> bool:
    if "SEQUENCE" in FeatureGroupType.Name(group.group_type):
        return feature.is_sequence
    if feature.is_sequence:
        return False
    has_embedding = getattr(feature.config, "embedding_dim", 0) > 0
    place = (model, group.group_name)
    if group.group_type == WIDE or place in _WITH_EMBEDDINGS:
        return has_embedding
    return not (has_embedding and place in _WITHOUT_EMBEDDINGS)
