"""Features that look a key up in a map, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.ids import checked_value_dim
from raymon.data.features.building.made import end_of_ids, end_of_numbers, made_feature
from raymon.data.features.building.numbers import checked_combiner
from raymon.data.features.feature import Feature
from raymon.data.features.operators.lookup import Lookup
from raymon.data.features.table_size import given_sources
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_lookup_feature(config: feature_pb2.LookupFeature, context: Context) -> Feature:
    """Returns the feature of a `lookup_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place = context.place
    has_ids = bool(given_sources(config)) or config.need_discrete or config.need_key
    combiner = checked_combiner(config.combiner, place)
    given = config.HasField("value_dim")
    if has_ids:
        only_first = given and checked_value_dim(config.value_dim, place) == 1
        end = end_of_ids(config, context)
        operator = Lookup(config.separator, None, config.need_key, only_first)
    else:
        numbers = max(config.value_dim, 1)
        several = combiner == "" and numbers == 1
        if several and not config.boundaries:
            raise ConfigError(
                f'{place}.combiner: is "", and a row may have several numbers; give boundaries, or '
                "a combiner"
            )
        end = end_of_numbers(
            config,
            context,
            numbers,
            several=several,
            default=config.default_value,
            separator=config.value_separator,
        )
        inner = config.value_separator
        operator = Lookup(config.separator, combiner, numbers=numbers, inner_separator=inner)
    if context.encoding is not None and end is not None:
        return end
    context.separator(config.separator)
    columns = context.column(config.map, "map"), context.column(config.key, "key")
    return made_feature(context, config, operator, columns, end)
