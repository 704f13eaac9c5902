"""Numbers in the texts of a block: defaults, boundaries, normalizers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from raymon.data.features.embedding_spec import ConfigWithNumbers
from raymon.data.features.feature import DenseEmbedding
from raymon.data.features.normalizer import Normalizer, parse_normalizer
from raymon.data.features.operators.combiner import COMBINERS
from raymon.errors import ConfigError


def parsed_numbers(text: str, separator: str, count: int, place: str) -> tuple[float, ...]:
    """Returns the numbers that a text spells; one number stands for all of them.

    Args:
        text: Numbers with a separator between them.
        separator: Text between them.
        count: How many there must be.
        place: Path of the field, for messages.

    Raises:
        ConfigError: They are not so many finite numbers.
    """
    parts = text.split(separator) if separator else []
    try:
        numbers = tuple(map(float, parts))
    except ValueError:
        numbers = ()
    if len(numbers) == 1:
        numbers *= count
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ConfigError(
            f'{place}: "{text}" is not a finite number'
            + (f" or {count} of them" if count > 1 else "")
        )
    return numbers


def parsed_boundaries(boundaries: Iterable[float], place: str) -> tuple[float, ...]:
    """Returns boundaries of buckets.

    Raises:
        ConfigError: They are not finite, or do not rise.
    """
    given = tuple(boundaries)
    if not all(map(math.isfinite, given)) or any(
        low >= high for low, high in itertools.pairwise(given)
    ):
        raise ConfigError(f"{place}.boundaries: must be finite and rising")
    return given


def parsed_normalizer(text: str | None, place: str) -> Normalizer | None:
    """Returns the function of a normalizer; None if the block has none.

    Raises:
        ConfigError: The text is no normalizer.
    """
    if text is None:
        return None
    try:
        return parse_normalizer(text)
    except ValueError as error:
        raise ConfigError(f"{place}.normalizer: {error}") from None


def dense_embedding(config: ConfigWithNumbers, numbers: int, place: str) -> DenseEmbedding | None:
    """Returns how the numbers of a feature become an embedding; None if they stay numbers.

    Args:
        config: Block of the feature.
        numbers: Numbers a row.
        place: Path of the block, for messages.

    Raises:
        ConfigError: A field is wrong.
    """
    kind = config.WhichOneof("dense_emb")
    if kind is None:
        return None
    dim = config.embedding_dim
    if dim < 1:
        raise ConfigError(f"{place}.embedding_dim: must be given and at least 1, for {kind}")
    if kind == "mlp":
        return DenseEmbedding("mlp", dim)
    autodis, at = config.autodis, f"{place}.autodis"
    if numbers > 1:
        raise ConfigError(f"{at}: takes one number a row, not {numbers} (value_dim); give mlp")
    if autodis.num_channels < 1:
        raise ConfigError(f"{at}.num_channels: is 0; must be at least 1")
    if not 0 < autodis.temperature < math.inf:
        raise ConfigError(f"{at}.temperature: is {autodis.temperature:g}; must be above 0")
    if not 0 <= autodis.keep_prob <= 1:
        raise ConfigError(f"{at}.keep_prob: is {autodis.keep_prob:g}; must be in [0, 1]")
    channels = autodis.num_channels
    return DenseEmbedding("autodis", dim, channels, autodis.temperature, autodis.keep_prob)


def checked_combiner(combiner: str, place: str) -> str:
    """Returns the name of a combiner in lower case.

    Raises:
        ConfigError: There is none of this name.
    """
    name = combiner.lower()
    if name not in COMBINERS:
        known = ", ".join(filter(None, COMBINERS))
        raise ConfigError(f'{place}.combiner: "{combiner}" is no combiner; use one of {known}')
    return name
