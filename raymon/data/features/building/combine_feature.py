"""Features of numbers by a map of values, from their blocks."""

from __future__ import annotations

from typing import cast

from raymon.data.features.building.context import Context
from raymon.data.features.building.made import end_of_ids, end_of_numbers, made_feature
from raymon.data.features.building.numbers import checked_combiner
from raymon.data.features.embedding_spec import ConfigWithIds
from raymon.data.features.feature import Feature
from raymon.data.features.operators.combine import Combine
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_combine_feature(config: feature_pb2.CombineFeature, context: Context) -> Feature:
    """Returns the feature of a `combine_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place = context.place
    combiner = checked_combiner(config.combiner, place)
    if not combiner:
        raise ConfigError(f'{place}.combiner: is ""; give sum, mean, min, max or count')
    end: Feature | None
    if config.HasField("num_buckets"):
        if config.boundaries:
            raise ConfigError(f"{place}.boundaries: are given beside num_buckets; give one of them")
        end = end_of_ids(cast(ConfigWithIds, config), context)
    else:
        end = end_of_numbers(config, context, default=config.default_value)
    if context.encoding is not None and end is not None:
        return end
    numbers = tuple(config.value_map.items())
    operator = Combine(numbers, combiner, context.separator(config.separator))
    return made_feature(context, config, operator, (context.column(config.expression),), end)
