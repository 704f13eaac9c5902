"""Features whose columns hold ids and numbers already, from their blocks."""

from __future__ import annotations

from raymon.data.features.building.context import Context
from raymon.data.features.building.numbers import parsed_numbers
from raymon.data.features.embedding_spec import ConfigWithTable
from raymon.data.features.encoded_feature import EncodedIds, EncodedNumbers
from raymon.data.features.feature import DenseEmbedding, EmbeddingSpec
from raymon.data.values.canonical import canonical_text, spells_integer
from raymon.errors import ConfigError


def encoded_ids(
    config: ConfigWithTable, embedding: EmbeddingSpec, context: Context, *, weighted: bool = False
) -> EncodedIds:
    """Returns a feature whose column holds its ids.

    Raises:
        ConfigError: The default is no id of its table.
    """
    assert context.encoding is not None
    separator = context.encoding.separator
    default: list[int] = []
    if config.fg_encoded_default_value:
        texts = config.fg_encoded_default_value.split(separator)
        rows = 2**63 if embedding.growth is not None else embedding.num_embeddings
        if not all(is_id(text, rows) for text in texts):
            raise ConfigError(
                f'{context.place}.fg_encoded_default_value: "{config.fg_encoded_default_value}" '
                f"is no id in [0, {rows})"
            )
        default = [int(text) for text in texts]
    return EncodedIds(
        name=config.feature_name,
        columns=(config.feature_name,),
        value_dim=0,
        embedding=embedding,
        default=tuple(default),
        separator=separator,
        weighted=weighted,
    )


def encoded_numbers(
    config: ConfigWithTable,
    count: int,
    default: tuple[float, ...],
    context: Context,
    dense: DenseEmbedding | None = None,
) -> EncodedNumbers:
    """Returns a feature whose column holds its numbers.

    Args:
        config: Block of the feature.
        count: Numbers a row.
        default: Numbers of a null, unless the block has others for encoded columns.
        context: Place of the block.
        dense: How the numbers become an embedding; None if they stay numbers.

    Raises:
        ConfigError: The default is no such number of numbers.
    """
    assert context.encoding is not None
    separator, text = context.encoding.separator, config.fg_encoded_default_value
    if text:
        place = f"{context.place}.fg_encoded_default_value"
        default = parsed_numbers(text, separator, count, place)
    return EncodedNumbers(
        name=config.feature_name,
        columns=(config.feature_name,),
        value_dim=count,
        embedding=None,
        dense_embedding=dense,
        numbers=count,
        default=default,
        separator=separator,
    )


def is_id(text: str, size: int) -> bool:
    """Whether a text is an integer in [0, size)."""
    form = canonical_text(text)
    return spells_integer(form) and 0 <= int(form) < size
