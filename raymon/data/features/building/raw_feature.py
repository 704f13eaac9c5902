"""Features of numbers, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.encoded import encoded_ids, encoded_numbers
from raymon.data.features.building.made import check_no_table
from raymon.data.features.building.numbers import (
    dense_embedding,
    parsed_boundaries,
    parsed_normalizer,
    parsed_numbers,
)
from raymon.data.features.embedding_spec import embedding_spec
from raymon.data.features.feature import Feature
from raymon.data.features.raw_feature import RawFeature
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_raw_feature(config: feature_pb2.RawFeature, context: Context) -> Feature:
    """Returns the feature of a `raw_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place, name = context.place, context.name(config.feature_name)
    if config.value_dim < 1:
        raise ConfigError(f"{place}.value_dim: is 0; must be at least 1")
    boundaries = parsed_boundaries(config.boundaries, place)
    embedding = None
    if boundaries:
        embedding = embedding_spec(config, place, len(boundaries) + 1, context.constraints)
    else:
        # A size without anything that has it is of no effect, which validation warns about.
        check_no_table(config, context, but="embedding_dim")
    # Buckets have embeddings of their own: beside boundaries another one is of no effect.
    dense = None if boundaries else dense_embedding(config, config.value_dim, place)
    if context.encoding is not None and embedding is not None:
        return encoded_ids(config, embedding, context)
    if context.encoding is not None:
        return encoded_numbers(config, config.value_dim, _default(config, place), context, dense)
    normalizer = config.normalizer if config.HasField("normalizer") else None
    return RawFeature(
        name=name,
        columns=(context.column(config.expression),),
        value_dim=0 if boundaries else config.value_dim,
        embedding=embedding,
        dense_embedding=dense,
        numbers=config.value_dim,
        default=_default(config, place),
        separator=context.separator(config.separator),
        normalizer=parsed_normalizer(normalizer, place),
        boundaries=boundaries,
    )


def _default(config: feature_pb2.RawFeature, place: str) -> tuple[float, ...]:
    field = f"{place}.default_value"
    return parsed_numbers(config.default_value, config.separator, config.value_dim, field)
