"""Features that cross several columns, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.encoded import encoded_ids
from raymon.data.features.building.ids import checked_value_dim
from raymon.data.features.building.made import made_feature
from raymon.data.features.combo_feature import ComboFeature
from raymon.data.features.embedding_spec import embedding_spec
from raymon.data.features.feature import Feature
from raymon.data.features.operators.combinations import Combinations
from raymon.data.features.table_size import given_sources, table_size
from raymon.data.values.canonical import canonical_text
from raymon.errors import ConfigError
from raymon.protos import feature_pb2


def build_combo_feature(config: feature_pb2.ComboFeature, context: Context) -> Feature:
    """Returns the feature of a `combo_feature`.

    Raises:
        ConfigError: A field is wrong.
    """
    place, name = context.place, context.name(config.feature_name)
    only_first = checked_value_dim(config.value_dim, place) == 1
    parts = len(config.expression)

    def form(text: str) -> str:
        values = text.split("_")
        # If values contain "_", it is unknown where one ends, and the text stays as it is.
        return "_".join(map(canonical_text, values)) if len(values) == parts else text

    if config.stub_type and not given_sources(config):
        combinations = Combinations(parts, context.separator(config.separator), only_first)
        return made_feature(context, config, combinations, _columns(config, context), None)
    size = table_size(config, place, form)
    embedding = embedding_spec(config, place, size.rows, context.constraints, size.growth)
    if context.encoding is not None:
        return encoded_ids(config, embedding, context)
    return ComboFeature(
        name=name,
        columns=_columns(config, context),
        value_dim=0,
        embedding=embedding,
        hash_bucket_size=size.hash_bucket_size,
        vocabulary=size.vocabulary,
        default_value=config.default_value,
        separator=context.separator(config.separator),
        only_first=only_first,
    )


def _columns(config: feature_pb2.ComboFeature, context: Context) -> tuple[str, ...]:
    columns = tuple(context.column(expression) for expression in config.expression)
    if len(columns) < 2 or len(set(columns)) < len(columns):
        raise ConfigError(f"{context.place}.expression: must name two columns or more, each once")
    return columns
