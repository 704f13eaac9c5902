"""Features whose values become ids, from their blocks."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from raymon.data.features.building.context import Context
from raymon.data.features.building.encoded import encoded_ids, is_id
from raymon.data.features.embedding_spec import ConfigWithIds, embedding_spec
from raymon.data.features.feature import Feature
from raymon.data.features.id_feature import IdFeature
from raymon.data.features.table_size import table_size
from raymon.data.values.canonical import canonical_text
from raymon.data.values.hashing import raw_ids
from raymon.errors import ConfigError


def ids_of_values(
    config: ConfigWithIds,
    context: Context,
    columns: Callable[[], tuple[str, ...]],
    separator: str | None,
    *,
    weighted: bool = False,
    most: int | None = None,
) -> Feature:
    """Returns the feature that makes ids of the values of one column.

    Args:
        config: Block of the feature.
        context: Place of the block.
        columns: Function that returns the column, if it is not encoded.
        separator: Text between the values of one string; None if a string is one value.
        weighted: Whether values come with weights.
        most: Number of values that a row has at most; None for any.

    Raises:
        ConfigError: A field is wrong.
    """
    place, name = context.place, context.name(config.feature_name)
    size = table_size(config, place, canonical_text)
    default = config.default_value
    buckets = size.num_buckets
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
        return encoded_ids(config, embedding, context, weighted=weighted)
    return IdFeature(
        name=name,
        columns=columns(),
        value_dim=0,
        embedding=embedding,
        hash_bucket_size=size.hash_bucket_size,
        num_buckets=buckets,
        vocabulary=size.vocabulary,
        default_value=default,
        separator=separator,
        weighted=weighted,
        most=most,
    )


def checked_value_dim(value_dim: int, place: str) -> int:
    """Returns how many values a row has: 1, or 0 for any number.

    Raises:
        ConfigError: It is neither.
    """
    if value_dim > 1:
        raise ConfigError(
            f"{place}.value_dim: is {value_dim}; must be 1 (one value a row) or 0 (any number)"
        )
    return value_dim
