"""The place that each field of a config comes from, for messages."""

from __future__ import annotations

from dataclasses import dataclass, field

from raymon.errors import ConfigError


@dataclass
class Source:
    """A file and the overrides that are applied to it.

    Attributes:
        name: Name of the file.
        lines: Line of each field, from 1, by path, such as `feature_configs[2].id_feature.pooling`.
        overrides: Override of each field as it was given, `KEY=VALUE`, by path.
        warned: Whether the file was warned about before, when its run began; overrides are new.
    """

    name: str
    lines: dict[str, int] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    warned: bool = False

    def place(self, path: str) -> str:
        """Returns where a field, or the innermost block around it, was given."""
        for prefix in _prefixes(path):
            if prefix in self.overrides:
                return f"--set {self.overrides[prefix]}"
            if prefix in self.lines:
                return f"{self.name}:{self.lines[prefix]}"
        return f"{self.name}:1"

    def is_news(self, path: str) -> bool:
        """Returns whether a field was not warned about before."""
        return not self.warned or any(prefix in self.overrides for prefix in _prefixes(path))

    def error(self, path: str, message: str) -> ConfigError:
        """Returns an error about a field: `PLACE: PATH: MESSAGE`."""
        return ConfigError(f"{self.place(path)}: {path}: {message}")


def _prefixes(path: str) -> list[str]:
    """Returns the path, then the paths of the blocks around it, the innermost first."""
    ends = [i for i, c in enumerate(path) if c in ".["]
    return [path, *(path[:end] for end in reversed(ends))]
