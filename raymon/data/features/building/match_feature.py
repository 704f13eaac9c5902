"""Features that look two keys up in a map of maps, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.ids import checked_value_dim
from raymon.data.features.building.made import end_of_ids, end_of_numbers, made_feature
from raymon.data.features.feature import Feature
from raymon.data.features.operators.match import Match
from raymon.data.features.table_size import given_sources
from raymon.errors import ConfigError
from raymon.protos import feature_pb2

_ALL = "ALL"


def build_match_feature(config: feature_pb2.MatchFeature, context: Context) -> Feature:
    """Returns the feature of a `match_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place, shown = context.place, config.show_pkey or config.show_skey
    one = checked_value_dim(config.value_dim, place) == 1
    end: Feature | None
    if given_sources(config) or config.need_discrete or shown:
        end, combiner = end_of_ids(config, context), None
    else:
        several = bool(config.boundaries) and not one
        end = end_of_numbers(config, context, several=several, default=config.default_value)
        combiner = "" if several else "sum"
    if context.encoding is not None and end is not None:
        return end
    keys = {
        field: context.column(key, field)
        for field, key in (("pkey", config.pkey), ("skey", config.skey))
        if key != _ALL
    }
    if not keys:
        raise ConfigError(f'{place}.skey: is "{_ALL}" beside pkey: "{_ALL}"; name a column in one')
    operator = Match(
        has_outer="pkey" in keys,
        has_inner="skey" in keys,
        separator=context.separator(config.separator),
        combiner=combiner,
        show_outer=config.show_pkey,
        show_inner=config.show_skey,
        only_first=one and combiner is None,
    )
    columns = context.column(config.nested_map, "nested_map"), *keys.values()
    return made_feature(context, config, operator, columns, end)
