"""What a request asks for, after the `?` of its address."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from raymon.errors import UserError

_MOST_CHARACTERS = 20_000


class QueryError(UserError):
    """A request that cannot be understood; answered with 400."""


class Query:
    """The parameters of a request, each read as what it has to be.

    Args:
        values: Parameters by name, as texts.

    Raises:
        QueryError: They are longer than any page asks for.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        if sum(len(value) for value in values.values()) > _MOST_CHARACTERS:
            raise QueryError(f"parameters of more than {_MOST_CHARACTERS:,} characters")

    def text(self, name: str, default: str = "") -> str:
        """Returns a parameter as it is."""
        return self._values.get(name, default)

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Returns one of some words, by default the first of them."""
        value = self._values.get(name) or choices[0]
        if value not in choices:
            raise QueryError(f"{name} is {_shown(value)}, and has to be {' or '.join(choices)}")
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Returns a whole number from `least` to `most`."""
        value = self._values.get(name) or str(default)
        try:
            number = int(value)
        except ValueError:
            raise QueryError(f"{name} is {_shown(value)}, and has to be a whole number") from None
        if not least <= number <= most:
            raise QueryError(f"{name} is {_shown(value)}, and has to be from {least} to {most:,}")
        return number

    def number(self, name: str) -> float | None:
        """Returns a finite number; None if it is not given."""
        value = self._values.get(name)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise QueryError(f"{name} is {_shown(value)}, and has to be a number")
        return number

    def share(self, name: str) -> float:
        """Returns a number in [0, 1), by default 0."""
        number = self.number(name) or 0.0
        if not 0 <= number < 1:
            raise QueryError(f"{name} is {number:g}, and has to be from 0 to below 1")
        return number

    def names(self, name: str, most: int) -> list[str]:
        """Returns names that are parted by commas, each once, at most `most` of them.

        What is in a name may be percent-encoded once more; a comma in it has to be.
        """
        found = [unquote(each) for each in self.text(name).split(",") if each]
        if len(found) > most:
            raise QueryError(f"{name} has {len(found):,} entries, and may have {most:,}")
        return list(dict.fromkeys(found))


def _shown(value: str) -> str:
    """Returns a value as a message has it, short and in one line."""
    return repr(value if len(value) <= 40 else value[:37] + "...")
