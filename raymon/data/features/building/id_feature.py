"""Features of ids, from their blocks."""

from __future__ import annotations

import pyarrow as pa

from raymon.data.features.building.context import Context
from raymon.data.features.building.encoded import encoded_ids, is_id
from raymon.data.features.embedding_spec import embedding_spec
from raymon.data.features.feature import Feature
from raymon.data.features.id_feature import IdFeature
from raymon.data.features.table_size import table_size
from raymon.data.values.canonical import canonical_text
from raymon.data.values.hashing import raw_ids
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_id_feature(config: feature_pb2.IdFeature, context: Context) -> Feature:
    """Returns the feature of an `id_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place, name = context.place, context.name(config.feature_name)
    size = table_size(config, place, canonical_text)
    if config.value_dim > 1:
        raise ConfigError(
            f"{place}.value_dim: is {config.value_dim}; must be 1 (one value a row) or 0 (any "
            "number)"
        )
    default = config.default_value
    if config.weighted and config.pooling != "sum":
        raise ConfigError(f'{place}.pooling: is "{config.pooling}"; weighted values go with "sum"')
    buckets = config.num_buckets if config.HasField("num_buckets") else None
    if buckets is not None and default and not is_id(default, buckets):
        raise ConfigError(
            f'{place}.default_value: "{default}" is not an integer in [0, {buckets}) (num_buckets)'
        )
    if size.growth is not None and default:
        try:
            raw_ids(pa.array([default]))
        except ValueError as error:
            raise ConfigError(f"{place}.default_value: {error}") from None
    embedding = embedding_spec(config, place, size.rows, context.constraints, size.growth)
    if context.encoding is not None:
        return encoded_ids(config, embedding, context, weighted=config.weighted)
    return IdFeature(
        name=name,
        columns=(context.column(config.expression),),
        value_dim=0,
        embedding=embedding,
        hash_bucket_size=size.hash_bucket_size,
        num_buckets=buckets,
        vocabulary=size.vocabulary,
        default_value=default,
        separator=None if config.value_dim == 1 else context.separator(config.separator),
        weighted=config.weighted,
    )
