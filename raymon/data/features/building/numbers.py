"""Numbers in the texts of a block: defaults, boundaries, normalizers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from raymon.data.features.normalizer import Normalizer, parse_normalizer
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
