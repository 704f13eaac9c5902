"""Builds a feature of sequences from the builder of the feature of one position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from raymon.config import FeatureBlock, column_fields
from raymon.data.features.building.context import Context
from raymon.data.features.feature import Feature
from raymon.data.features.sequence_feature import SequenceFeature
from raymon.errors import ConfigError


def build_sequence(
    block: FeatureBlock, build: Callable[[Any, Context], Feature], context: Context
) -> SequenceFeature:
    """Returns the feature of a block of a sequence.

    Args:
        block: The block.
        build: Builds the feature of a position from a block that describes it.
        context: What is around the block.

    Raises:
        ConfigError: The block is wrong. The message begins with the path of the field.
    """
    is_encoded = context.encoding is not None
    own = block.config if block.sequence is None else block.sequence
    if not own.sequence_delim:
        raise ConfigError(
            f"{_place_of_sequence(block)}.sequence_delim: is empty; give what is between positions"
        )
    if own.HasField("sequence_length") and own.sequence_length < 1:
        raise ConfigError(f"{_place_of_sequence(block)}.sequence_length: is 0; must be at least 1")
    config = type(block.config)()
    config.CopyFrom(block.config)
    config.feature_name = block.name if block.config.feature_name else ""
    fills = _set_default(block.kind, config, is_encoded)
    if block.kind == "id_feature" and not config.HasField("value_dim"):
        config.value_dim = 1
    columns = {config.feature_name} if is_encoded else _name_columns(block, config)
    made = build(config, context)
    if made.embedding is not None:
        made = replace(made, embedding=replace(made.embedding, of_positions=True))
    if made.dense_embedding is not None:
        raise ConfigError(
            f"{block.place}: raymon does not have {made.dense_embedding.kind} in sequences yet; "
            "leave it out"
        )
    return SequenceFeature(
        name=made.name,
        columns=made.columns,
        value_dim=made.value_dim,
        embedding=made.embedding,
        of_position=made,
        sequences=tuple(column in columns for column in made.columns),
        delimiter=own.sequence_delim,
        # Encoded sequences were cut where they were encoded.
        most=own.sequence_length if own.HasField("sequence_length") and not is_encoded else None,
        fills=fills,
        sequence="" if block.sequence is None else block.sequence.sequence_name,
    )


def _place_of_sequence(block: FeatureBlock) -> str:
    return block.place if block.sequence is None else block.place.partition(".features[")[0]


def _set_default(kind: str, config: Any, is_encoded: bool) -> bool:
    """Sets the default of a position, and returns whether a row without any gets one of it."""
    fills = bool(config.fg_encoded_default_value if is_encoded else config.default_value)
    if not config.default_value and kind == "id_feature" and not is_encoded:
        # As where such configs come from: there is no position without an id.
        config.default_value, fills = "0", True
    elif not config.default_value and kind == "raw_feature":
        config.default_value = "0"
    return fills


def _name_columns(block: FeatureBlock, config: Any) -> set[str]:
    """Gives columns of positions the name of their sequence, and returns these columns."""
    given: list[tuple[str, int | None, str]] = []
    for field in column_fields(block.kind):
        value = getattr(config, field, "")
        if isinstance(value, str):
            given += [(field, None, value)] if value else []
        else:
            given += [(field, index, text) for index, text in enumerate(value)]
    listed, columns = set(config.sequence_fields), set()
    prefix = "" if block.sequence is None else f"{block.sequence.sequence_name}__"
    for field, index, text in given:
        side, _, column = text.partition(":")
        in_sequence = column in listed if listed else len(given) == 1 or side == "item"
        if not column or not in_sequence:
            continue
        name = f"{prefix}{column}"
        columns.add(name)
        if index is None:
            setattr(config, field, f"{side}:{name}")
        else:
            getattr(config, field)[index] = f"{side}:{name}"
    if given and not columns:
        field = "sequence_fields" if config.sequence_fields else given[0][0]
        raise ConfigError(
            f"{block.place}.{field}: no column has a value a position; name one in sequence_fields"
        )
    return columns
