"""Features that an operator makes of raw columns, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.encoded import encoded_ids, encoded_numbers
from raymon.data.features.building.ids import ids_of_values
from raymon.data.features.building.numbers import (
    dense_embedding,
    parsed_boundaries,
    parsed_normalizer,
    parsed_numbers,
)
from raymon.data.features.computed_numbers import ComputedNumbers
from raymon.data.features.embedding_spec import (
    OF_TABLES,
    ConfigWithIds,
    ConfigWithNumbers,
    ConfigWithTable,
    embedding_spec,
)
from raymon.data.features.feature import Feature
from raymon.data.features.operator_feature import OperatorFeature
from raymon.data.features.operators.operator import Operator
from raymon.data.features.table_size import given_sources
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def made_feature(
    context: Context,
    config: ConfigWithTable,
    operator: Operator,
    columns: tuple[str, ...],
    end: Feature | None,
) -> Feature:
    """Returns the feature of what an operator makes of some columns.

    Args:
        context: Place of the block.
        config: Block of the feature.
        operator: Operator over the columns.
        columns: Names of the columns.
        end: Feature of the values of the operator; None if they are only for other features.
    """
    return OperatorFeature(
        name=context.name(config.feature_name),
        columns=columns,
        value_dim=0 if end is None else end.value_dim,
        embedding=None if end is None else end.embedding,
        dense_embedding=None if end is None else end.dense_embedding,
        operator=operator,
        end=end,
    )


def end_of_ids(config: ConfigWithIds, context: Context) -> Feature | None:
    """Returns the feature that makes ids of computed values.

    Returns:
        The feature; None if it is a stub without ids, whose values are for other features.

    Raises:
        ConfigError: A field is wrong.
    """
    if config.stub_type and not given_sources(config):
        return None
    return ids_of_values(config, context, lambda: (config.feature_name,), None)


def end_of_numbers(
    config: ConfigWithNumbers,
    context: Context,
    numbers: int = 1,
    *,
    several: bool = False,
    default: str = "0",
    separator: str = "\x1d",
) -> Feature:
    """Returns the feature of computed numbers: buckets of them, or the numbers themselves.

    Args:
        config: Block of the feature.
        context: Place of the block.
        numbers: Numbers a row.
        several: Whether a row may have any number of them, if they fall into buckets.
        default: Numbers of a row that has none.
        separator: Text between them.

    Raises:
        ConfigError: A field is wrong.
    """
    place, name = context.place, context.name(config.feature_name)
    boundaries = parsed_boundaries(config.boundaries, place)
    normalizer = None
    if not isinstance(config, feature_pb2.ExprFeature) and config.HasField("normalizer"):
        normalizer = parsed_normalizer(config.normalizer, place)
    if boundaries:
        embedding = embedding_spec(config, place, len(boundaries) + 1, context.constraints)
        if context.encoding is not None:
            return encoded_ids(config, embedding, context)
        missing: tuple[float, ...] = ()
        if default:
            missing = parsed_numbers(default, separator, numbers, f"{place}.default_value")
        return ComputedNumbers(
            name=name,
            columns=(name,),
            value_dim=0,
            embedding=embedding,
            default=missing,
            normalizer=normalizer,
            boundaries=boundaries,
            several=several or numbers > 1,
        )
    check_no_table(config, context)
    missing = parsed_numbers(default or "0", separator, numbers, f"{place}.default_value")
    dense = dense_embedding(config, numbers, place)
    if context.encoding is not None:
        return encoded_numbers(config, numbers, missing, context, dense)
    return ComputedNumbers(
        name=name,
        columns=(name,),
        value_dim=numbers,
        embedding=None,
        dense_embedding=dense,
        default=missing,
        normalizer=normalizer,
    )


def check_no_table(config: ConfigWithNumbers, context: Context, but: str = "") -> None:
    """Checks that a feature that is numbers has no field of a table.

    Args:
        config: Block of the feature.
        context: Place of the block.
        but: Name of a field that it may have.

    Raises:
        ConfigError: It has one.
    """
    dense = config.WhichOneof("dense_emb") is not None
    kind = context.place.rpartition(".")[2]
    what = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} has embeddings only with boundaries"
    if "hash_bucket_size" in config.DESCRIPTOR.fields_by_name:
        what += " or a source of ids"
    for field in OF_TABLES:
        if field != but and config.HasField(field) and not (dense and field == "embedding_dim"):
            raise ConfigError(f"{context.place}.{field}: {what}")
