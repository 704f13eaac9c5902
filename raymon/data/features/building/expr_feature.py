"""Features that an expression computes, from their blocks."""

from __future__ import annotations

import math

from raymon.data.features.building.context import Context
from raymon.data.features.building.made import end_of_numbers, made_feature
from raymon.data.features.expressions.parser import parse_expression
from raymon.data.features.expressions.tree import variables_of
from raymon.data.features.feature import Feature
from raymon.data.features.operators.expression import Expression
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_expr_feature(config: feature_pb2.ExprFeature, context: Context) -> Feature:
    """Returns the feature of an `expr_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place, numbers = context.place, max(config.value_dim, 1)
    several = bool(config.boundaries) and config.value_dim == 0
    end = end_of_numbers(
        config,
        context,
        numbers,
        several=several,
        default=config.default_value,
        separator=config.separator,
    )
    if context.encoding is not None:
        return end
    if not config.variables:
        raise ConfigError(f'{place}.variables: is empty; name columns, as in "item:price"')
    # A variable is called as what stands behind the colon.
    names = tuple(variable.rpartition(":")[2] for variable in config.variables)
    columns = tuple(context.column(variable, "variables") for variable in config.variables)
    if len(set(names)) < len(names):
        raise ConfigError(f"{place}.variables: must have different names")
    try:
        tree = parse_expression(config.expression, names)
    except ValueError as error:
        raise ConfigError(f"{place}.expression: {error}") from None
    unused = [name for name in names if name not in variables_of(tree)]
    if unused:
        raise ConfigError(
            f'{place}.variables: "{unused[0]}" is not in the expression; leave it out'
        )
    fill = config.fill_missing if config.HasField("fill_missing") else math.nan
    operator = Expression(tree, names, context.separator(config.separator), fill)
    return made_feature(context, config, operator, columns, end)
