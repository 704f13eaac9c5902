"""The place that each field of a config comes from, for messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from raymon.config.refusals import (
    Refusal,
    all_in_one_line,
    is_within,
    moved_up,
    standing,
    without_item,
)
from raymon.errors import ConfigError

V = TypeVar("V")


@dataclass
class Source:
    """A file and the overrides that are applied to it.

    Attributes:
        name: Name of the file.
        lines: Line of each field, from 1, by path, such as `feature_configs[2].id_feature.pooling`.
        overrides: Override of each field, by path: as it was given, `--set KEY=VALUE`.
        refusals: Parts that raymon does not have yet, unless an override settled them.
        warned: Whether the file was warned about before, when its run began; overrides are new.
    """

    name: str
    lines: dict[str, int] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    warned: bool = False

    def place(self, path: str) -> str:
        """Returns where a field, or the innermost block around it, was given."""
        for prefix in _prefixes(path):
            if prefix in self.overrides:
                return self.overrides[prefix]
            if prefix in self.lines:
                return f"{self.name}:{self.lines[prefix]}"
        return f"{self.name}:1"

    def is_news(self, path: str) -> bool:
        """Returns whether a field was not warned about before."""
        return not self.warned or any(prefix in self.overrides for prefix in _prefixes(path))

    def record(self, path: str, override: str, chosen: Iterable[tuple[str, str]] = ()) -> None:
        """Records an override of a field, in place of all that was given for it before.

        Args:
            path: Path of the field.
            override: Override as it was given.
            chosen: Oneofs of which it set a member: path of the block, and name of the oneof.
        """
        for given in (self.overrides, self.lines):
            for inner in [each for each in given if each != path and is_within(each, path)]:
                del given[inner]
        self.refusals = standing(self.refusals, path, chosen)
        self.overrides[path] = override

    def remove_item(self, items: str, index: int) -> None:
        """Notes that an item of a list was removed, and that those behind it move up."""
        self.refusals = without_item(self.refusals, items, index)
        self.lines = _without(self.lines, items, index)
        self.overrides = _without(self.overrides, items, index)

    def raise_refusals(self) -> None:
        """Raises if the config has parts that raymon does not have yet.

        Raises:
            ConfigError: With the first such part, and the names of the others.
        """
        if self.refusals:
            raise self.error(self.refusals[0].path, all_in_one_line(self.refusals))

    def error(self, path: str, message: str) -> ConfigError:
        """Returns an error about a field: `PLACE: PATH: MESSAGE`."""
        return ConfigError(f"{self.place(path)}: {path}: {message}")


def _without(given: dict[str, V], items: str, index: int) -> dict[str, V]:
    moved = {moved_up(path, items, index): value for path, value in given.items()}
    return {path: value for path, value in moved.items() if path is not None}


def _prefixes(path: str) -> list[str]:
    """Returns the path, then the paths of the blocks around it, the innermost first."""
    ends = [i for i, c in enumerate(path) if c in ".["]
    return [path, *(path[:end] for end in reversed(ends))]
