"""Features of the overlap of two texts, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.made import end_of_numbers, made_feature
from raymon.data.features.feature import Feature
from raymon.data.features.operators.overlap import METHODS, Overlap
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_overlap_feature(config: feature_pb2.OverlapFeature, context: Context) -> Feature:
    """Returns the feature of an `overlap_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    end = end_of_numbers(config, context)
    if context.encoding is not None:
        return end
    if config.method not in METHODS:
        raise ConfigError(
            f'{context.place}.method: "{config.method}" is no method; use one of '
            f"{', '.join(METHODS)}"
        )
    columns = context.column(config.query, "query"), context.column(config.title, "title")
    operator = Overlap(config.method, context.separator(config.separator))
    return made_feature(context, config, operator, columns, end)
