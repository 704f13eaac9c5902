"""Rules for single values, which the checks of a config share."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.message import Message

from raymon.config.source import Source
from raymon.config.unknown_names import describe_unknown

_log = logging.getLogger("raymon")


class Rules:
    """The rules for the fields of a block; a value that breaks one raises a ConfigError.

    Args:
        source: Source of the config.
        message: Block whose fields are checked.
        path: Path of the block in the config.
    """

    def __init__(self, source: Source, message: Message, path: str) -> None:
        self.source = source
        self._message = message
        self.path = path

    def inner(self, name: str) -> Rules:
        """Returns the rules of a block in this block."""
        return Rules(self.source, getattr(self._message, name), self.place(name))

    def inner_item(self, name: str, index: int) -> Rules:
        """Returns the rules of an item in a list of blocks."""
        place = f"{self.place(name)}[{index}]"
        return Rules(self.source, getattr(self._message, name)[index], place)

    def place(self, name: str) -> str:
        """Returns the path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def value(self, name: str) -> Any:
        """Returns the value of a field, or its default."""
        return getattr(self._message, name)

    def knows(self, name: str) -> bool:
        """Returns whether the block has a field of this name in its schema."""
        return name in self._message.DESCRIPTOR.fields_by_name

    def has(self, name: str) -> bool:
        """Returns whether a field is set."""
        return self._message.HasField(name)

    def require(self, ok: bool, name: str, message: str) -> None:
        """Raises unless a condition holds.

        Args:
            ok: The condition.
            name: Name of the field; empty for the block.
            message: What is wrong, and what would be right.
        """
        if not ok:
            raise self.source.error(self.place(name) if name else self.path, message)

    def warn(self, useless: bool, name: str, why: str) -> None:
        """Warns that a field is set and has no effect, unless there was a warning before.

        Args:
            useless: Whether the field is set and has no effect.
            name: Name of the field.
            why: Why it has no effect.
        """
        place = self.place(name)
        if useless and self.source.is_news(place):
            _log.warning("%s: %s: has no effect: %s", self.source.place(place), place, why)

    def positive(self, *names: str) -> None:
        """Checks that fields, where they are set, are at least 1, or above 0 if they are reals."""
        for name in names:
            value = getattr(self._message, name)
            if self._message.HasField(name):
                least = "at least 1" if isinstance(value, int) else "above 0"
                self.require(value > 0, name, f"is {value}; must be {least}")

    def within(self, name: str, low: float, high: float, with_high: bool = False) -> None:
        """Checks that a field is in [low, high), or with `with_high` in [low, high]."""
        value = getattr(self._message, name)
        inside = low <= value <= high if with_high else low <= value < high
        bounds = f"[{low:g}, {high:g}{']' if with_high else ')'}"
        self.require(inside, name, f"is {value:g}; must be in {bounds}")

    def at_least(self, low: float, *names: str) -> None:
        """Checks that fields are at least `low`, and finite."""
        for name in names:
            value = getattr(self._message, name)
            ok = low <= value < float("inf")
            self.require(ok, name, f"is {value:g}; must be a number of at least {low:g}")

    def one_of(self, name: str, allowed: Sequence[str]) -> None:
        """Checks that a field, if it is set, has one of the allowed values."""
        if self._message.HasField(name):
            value = getattr(self._message, name)
            message = f'is "{value}"; must be one of {", ".join(allowed)}'
            self.require(value in allowed, name, message)

    def known(self, value: str, name: str, known: Iterable[str], what: str) -> None:
        """Checks that a value is one of the known ones; the error suggests the nearest."""
        names = list(known)
        self.require(value in names, name, describe_unknown(value, names, what))
