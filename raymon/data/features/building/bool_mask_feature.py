"""Features of the values that a mask leaves, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.ids import checked_value_dim
from raymon.data.features.building.made import end_of_ids, made_feature
from raymon.data.features.feature import Feature
from raymon.data.features.operators.bool_mask import BoolMask
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_bool_mask_feature(config: feature_pb2.BoolMaskFeature, context: Context) -> Feature:
    """Returns the feature of a `bool_mask_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    end = end_of_ids(config, context)
    only_first = checked_value_dim(config.value_dim, context.place) == 1
    if context.encoding is not None and end is not None:
        return end
    columns = tuple(context.column(expression) for expression in config.expression)
    if len(columns) != 2:
        raise ConfigError(
            f"{context.place}.expression: has {len(columns)} columns; name one of values, then one "
            "of booleans"
        )
    operator = BoolMask(context.separator(config.separator), only_first)
    return made_feature(context, config, operator, columns, end)
