"""Builds features from the `feature_configs` of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.data.features.building.context import Constraints, Context
from raymon.data.features.building.kinds import BUILDERS
from raymon.data.features.building.unbucketized import unbucketized
from raymon.data.features.embedding_spec import check_shared
from raymon.data.features.encoding import Encoding
from raymon.data.features.feature import EmbeddingSpec, Feature
from raymon.data.features.linking import linked
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_features(
    configs: Sequence[feature_pb2.FeatureConfig],
    encoding: Encoding | None = None,
    constraints: Constraints = None,
) -> list[Feature]:
    """Returns the features of a pipeline, in the order of the config, without stubs.

    Args:
        configs: Configs of the features.
        encoding: Layout of columns that have the names of the features; None if features are made
            from the raw columns of their expressions.
        constraints: Constraints of tables whose features have none; None for no constraints.

    Raises:
        ConfigError: A feature is described wrongly. The message begins with the path of the field,
            as in `feature_configs[3].id_feature.pooling: ...`.
    """
    features: dict[str, Feature] = {}
    places: dict[str, str] = {}
    stubs: set[str] = set()
    tables: dict[str, tuple[str, EmbeddingSpec]] = {}
    for index, config in enumerate(configs):
        kind = config.WhichOneof("feature")
        if kind is None:
            first, *others = BUILDERS
            raise ConfigError(
                f"feature_configs[{index}]: holds no feature; give it an {first}, "
                f"{', '.join(others[:-1])} or {others[-1]}"
            )
        place = f"feature_configs[{index}].{kind}"
        block = getattr(config, kind)
        if encoding is not None and block.stub_type:
            continue
        if encoding is None or encoding.bucketized:
            feature = BUILDERS[kind](block, Context(place, encoding, constraints))
        else:
            kind, block = unbucketized(kind, block, encoding.separator, place)
            feature = BUILDERS[kind](block, Context(place, None, constraints))
        if feature.name in places:
            raise ConfigError(
                f'{place}.feature_name: "{feature.name}" is also the name of '
                f"{places[feature.name]}; names must differ"
            )
        places[feature.name] = place
        if block.stub_type:
            stubs.add(feature.name)
        elif feature.embedding is not None:
            check_shared(tables, feature.embedding, place)
        features[feature.name] = feature
    return [f for name, f in linked(features, places).items() if name not in stubs]
