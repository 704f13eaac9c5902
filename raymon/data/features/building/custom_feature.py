"""Features that an operator with a name computes, from their blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from raymon.data.features.building.context import Context
from raymon.data.features.building.made import end_of_numbers, made_feature
from raymon.data.features.feature import Feature
from raymon.data.features.operators.edit_distance import EditDistance
from raymon.data.features.operators.operator import Operator
from raymon.errors import ConfigError
from raymon.protos import feature_pb2

_ENCODINGS = ("utf-8", "latin")


def build_custom_feature(config: feature_pb2.CustomFeature, context: Context) -> Feature:
    """Returns the feature of a `custom_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place = context.place
    if config.operator_name not in _OPERATORS:
        raise ConfigError(
            f'{place}.operator_name: raymon does not have the operator "{config.operator_name}" '
            f"yet; it has {', '.join(_OPERATORS)}, and loads no operator_lib_file"
        )
    operator = _OPERATORS[config.operator_name](config, place)
    end = end_of_numbers(config, context, default=config.default_value, separator="\x1d")
    if context.encoding is not None:
        return end
    columns = tuple(context.column(expression) for expression in config.expression)
    if len(columns) != 2:
        raise ConfigError(f"{place}.expression: must name two columns, not {len(columns)}")
    return made_feature(context, config, operator, columns, end)


def _edit_distance(config: feature_pb2.CustomFeature, place: str) -> Operator:
    given = config.operator_params.fields
    unknown = sorted(set(given) - {"encoding"})
    if unknown:
        raise ConfigError(
            f'{place}.operator_params: "{unknown[0]}" is no parameter of EditDistance; it has '
            "encoding"
        )
    encoding = given["encoding"].string_value if "encoding" in given else "latin"
    if encoding not in _ENCODINGS:
        raise ConfigError(
            f'{place}.operator_params: encoding is "{encoding}"; must be {" or ".join(_ENCODINGS)}'
        )
    return EditDistance(encoding)


_OPERATORS: Mapping[str, Callable[[feature_pb2.CustomFeature, str], Operator]] = {
    "EditDistance": _edit_distance
}
"""How each operator is made of a block, and of the place of the block."""
