"""Features of ids, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.ids import ids_of_values
from raymon.data.features.building.made import made_feature
from raymon.data.features.feature import Feature
from raymon.data.features.operators.values import Values
from raymon.data.features.table_size import given_sources
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_id_feature(config: feature_pb2.IdFeature, context: Context) -> Feature:
    """Returns the feature of an `id_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place, one = context.place, config.value_dim == 1
    if config.weighted and config.pooling != "sum":
        raise ConfigError(f'{place}.pooling: is "{config.pooling}"; weighted values go with "sum"')
    separator = None if one else context.separator(config.separator)
    if config.stub_type and not given_sources(config):
        operator = Values(separator)
        return made_feature(context, config, operator, (context.column(config.expression),), None)
    return ids_of_values(
        config,
        context,
        lambda: (context.column(config.expression),),
        separator,
        weighted=config.weighted,
        most=config.value_dim if config.value_dim > 1 else None,
    )
