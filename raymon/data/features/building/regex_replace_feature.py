"""Features of texts in which patterns are replaced, from their blocks."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.building.context import Context
from raymon.data.features.building.ids import checked_value_dim
from raymon.data.features.building.made import end_of_ids, made_feature
from raymon.data.features.feature import Feature
from raymon.data.features.operators.regex_replace import RegexReplace
from raymon.errors import ConfigError, first_line
from raymon.protos import feature_pb2


def build_regex_replace_feature(
    config: feature_pb2.RegexReplaceFeature, context: Context
) -> Feature:
    """Returns the feature of a `regex_replace_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place, end = context.place, end_of_ids(config, context)
    one = checked_value_dim(config.value_dim, place) == 1
    if context.encoding is not None and end is not None:
        return end
    if not config.regex_pattern:
        raise ConfigError(f"{place}.regex_pattern: is missing; give one or more")
    patterns = tuple(f"(?i){p}" if config.icase else p for p in config.regex_pattern)
    for index, pattern in enumerate(patterns):
        try:
            pc.replace_substring_regex(pa.array([""]), pattern, config.replacement)
        except pa.ArrowInvalid as error:
            raise ConfigError(f"{place}.regex_pattern[{index}]: {first_line(error)}") from None
    separator = None if one else context.separator(config.separator)
    operator = RegexReplace(patterns, config.replacement, config.replace_all, separator)
    return made_feature(context, config, operator, (context.column(config.expression),), end)
