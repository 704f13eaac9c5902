"""Rules of single values that the checks of a config share."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.message import Message

from raymon.config.source import Source
from raymon.config.unknown import describe_unknown

_log = logging.getLogger("raymon")


class Rules:
    """Raises a ConfigError where a value breaks a rule.

    Args:
        source: where the config comes from.
        message: the block whose fields are looked at.
        path: of the block in the config.
    """

    def __init__(self, source: Source, message: Message, path: str) -> None:
        self.source = source
        self._message = message
        self.path = path

    def inner(self, name: str) -> Rules:
        """The rules of a block in this block."""
        return Rules(self.source, getattr(self._message, name), self.place(name))

    def inner_item(self, name: str, index: int) -> Rules:
        """The rules of an item of a list of blocks."""
        place = f"{self.place(name)}[{index}]"
        return Rules(self.source, getattr(self._message, name)[index], place)

    def place(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def value(self, name: str) -> Any:
        """What a field is, or its default."""
        return getattr(self._message, name)

    def has(self, name: str) -> bool:
        """Whether a field is set."""
        return self._message.HasField(name)

    def require(self, ok: bool, name: str, message: str) -> None:
        """Raises for a field, or with an empty name for the block, unless `ok`."""
        if not ok:
            raise self.source.error(self.place(name) if name else self.path, message)

    def warn(self, useless: bool, name: str, why: str) -> None:
        """Warns of a field that is set and has no effect, unless that was said before."""
        place = self.place(name)
        if useless and self.source.is_news(place):
            _log.warning("%s: %s: has no effect: %s", self.source.place(place), place, why)

    def positive(self, *names: str) -> None:
        """Fields must be at least 1, or above 0 where they are real numbers; if they are set."""
        for name in names:
            value = getattr(self._message, name)
            if self._message.HasField(name):
                least = "at least 1" if isinstance(value, int) else "above 0"
                self.require(value > 0, name, f"is {value}; must be {least}")

    def within(self, name: str, low: float, high: float, with_high: bool = False) -> None:
        """A field must be in [low, high), or in [low, high]."""
        value = getattr(self._message, name)
        inside = low <= value <= high if with_high else low <= value < high
        bounds = f"[{low:g}, {high:g}{']' if with_high else ')'}"
        self.require(inside, name, f"is {value:g}; must be in {bounds}")

    def at_least(self, low: float, *names: str) -> None:
        """Fields must be at least `low`, and finite."""
        for name in names:
            value = getattr(self._message, name)
            ok = low <= value < float("inf")
            self.require(ok, name, f"is {value:g}; must be a number of at least {low:g}")

    def one_of(self, name: str, allowed: Sequence[str]) -> None:
        """A field must be one of the values, if it is set."""
        if self._message.HasField(name):
            value = getattr(self._message, name)
            message = f'is "{value}"; must be one of {", ".join(allowed)}'
            self.require(value in allowed, name, message)

    def known(self, value: str, name: str, known: Iterable[str], what: str) -> None:
        """A value must be one of the known ones, of which the nearest is named."""
        names = list(known)
        self.require(value in names, name, describe_unknown(value, names, what))
