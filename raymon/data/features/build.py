"""Builds features from the `feature_configs` of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.config import feature_blocks
from raymon.data.features.building.context import Constraints, Context
from raymon.data.features.building.kinds import BUILDERS
from raymon.data.features.building.sequence import build_sequence
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
        if config.WhichOneof("feature") is None:
            first, *others = BUILDERS
            raise ConfigError(
                f"feature_configs[{index}]: holds no feature; give it an {first}, "
                f"{', '.join(others[:-1])} or {others[-1]}"
            )
    bucketizes = encoding is not None and not encoding.bucketized
    for block in feature_blocks(configs):
        if encoding is not None and block.is_stub:
            continue
        context = Context(block.place, None if bucketizes else encoding, constraints)
        place, kind, own = block.place, block.kind, block.config
        if bucketizes and encoding is not None:
            named = f"sequence_{kind}" if block.is_sequence else kind
            kind, own = unbucketized(named, own, encoding.separator, place)
        feature: Feature
        if block.is_sequence:
            feature = build_sequence(block, BUILDERS[kind], context)
        else:
            feature = BUILDERS[kind](own, context)
        if feature.name in places:
            raise ConfigError(
                f'{place}.feature_name: "{feature.name}" is also the name of '
                f"{places[feature.name]}; names must differ"
            )
        places[feature.name] = place
        if block.is_stub:
            stubs.add(feature.name)
        elif feature.embedding is not None:
            check_shared(tables, feature.embedding, place)
        features[feature.name] = feature
    return [f for name, f in linked(features, places).items() if name not in stubs]
