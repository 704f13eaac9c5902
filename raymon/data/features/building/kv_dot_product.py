"""Features that are dot products of sparse vectors, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.made import end_of_numbers, made_feature
from raymon.data.features.feature import Feature
from raymon.data.features.operators.kv_dot_product import KvDotProduct
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_kv_dot_product(config: feature_pb2.KvDotProduct, context: Context) -> Feature:
    """Returns the feature of a `kv_dot_product`.

    Raises:
        ConfigError: A field is wrong.
    """
    end = end_of_numbers(config, context, default=config.default_value)
    if context.encoding is not None:
        return end
    if len(config.kv_delimiter) != 1:
        raise ConfigError(
            f'{context.place}.kv_delimiter: "{config.kv_delimiter}" is not one character'
        )
    columns = context.column(config.query, "query"), context.column(config.document, "document")
    operator = KvDotProduct(context.separator(config.separator), config.kv_delimiter)
    return made_feature(context, config, operator, columns, end)
