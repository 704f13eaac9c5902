"""Features that an operator with a name computes, from their blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from google.protobuf.json_format import MessageToDict

from raymon.config import import_class
from raymon.data.features.building.context import Context
from raymon.data.features.building.made import end_of_ids, end_of_numbers, made_feature
from raymon.data.features.feature import Feature
from raymon.data.features.operators.custom import Custom
from raymon.data.features.operators.edit_distance import EditDistance
from raymon.data.features.operators.operator import Operator
from raymon.data.features.table_size import given_sources
from raymon.errors import ConfigError, reason
from raymon.protos import feature_pb2

_ENCODINGS = ("utf-8", "latin")


def build_custom_feature(config: feature_pb2.CustomFeature, context: Context) -> Feature:
    """Returns the feature of a `custom_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place = context.place
    if ":" in config.operator_name:
        return _of_class(config, context)
    if config.operator_name not in _OPERATORS:
        raise ConfigError(
            f'{place}.operator_name: raymon does not have the operator "{config.operator_name}" '
            f"yet; it has {', '.join(_OPERATORS)}, loads no operator_lib_file, and takes a class "
            'of your own as "package.module:Class"'
        )
    operator = _OPERATORS[config.operator_name](config, place)
    end = end_of_numbers(config, context, default=config.default_value, separator="\x1d")
    if context.encoding is not None:
        return end
    columns = tuple(context.column(expression) for expression in config.expression)
    if len(columns) != 2:
        raise ConfigError(f"{place}.expression: must name two columns, not {len(columns)}")
    return made_feature(context, config, operator, columns, end)


def _of_class(config: feature_pb2.CustomFeature, context: Context) -> Feature:
    """Returns the feature of a class of the user."""
    place = context.place
    is_ids = bool(given_sources(config))
    several = bool(config.boundaries) and not config.value_dim
    end: Feature | None
    if is_ids:
        end = end_of_ids(config, context)
    else:
        numbers, default = max(config.value_dim, 1), config.default_value
        end = end_of_numbers(config, context, numbers, several=several, default=default)
    if context.encoding is not None and end is not None:
        return end
    columns = tuple(context.column(expression) for expression in config.expression)
    if not columns:
        raise ConfigError(f'{place}.expression: is empty; name columns, as in "item:title"')
    cls = import_class(config.operator_name, f"{place}.operator_name")
    try:
        function = cls(**MessageToDict(config.operator_params))
    except Exception as error:  # the code of the user may raise anything
        raise ConfigError(f"{place}.operator_params: {reason(error)}") from error
    if not callable(function):
        raise ConfigError(
            f'{place}.operator_name: "{config.operator_name}" has no __call__ of columns'
        )
    return made_feature(context, config, Custom(function, not is_ids), columns, end)


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
