"""Where the fields of a config come from, for messages that name the place."""

from __future__ import annotations

from dataclasses import dataclass, field

from raymon.errors import ConfigError


@dataclass
class Source:
    """A file and the overrides on top of it.

    Attributes:
        name: of the file.
        lines: by field path, as in `feature_configs[2].id_feature.pooling`, the line from 1.
        overrides: by field path, the override as it was given, `KEY=VALUE`.
        warned: what the file says was warned of when its run began; what overrides say was not.
    """

    name: str
    lines: dict[str, int] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    warned: bool = False

    def place(self, path: str) -> str:
        """Where a field, or the nearest block around it, was given."""
        for prefix in _prefixes(path):
            if prefix in self.overrides:
                return f"--set {self.overrides[prefix]}"
            if prefix in self.lines:
                return f"{self.name}:{self.lines[prefix]}"
        return f"{self.name}:1"

    def is_news(self, path: str) -> bool:
        """Whether a warning of a field was not given yet."""
        return not self.warned or any(prefix in self.overrides for prefix in _prefixes(path))

    def error(self, path: str, message: str) -> ConfigError:
        """An error of a field: `PLACE: PATH: MESSAGE`."""
        return ConfigError(f"{self.place(path)}: {path}: {message}")


def _prefixes(path: str) -> list[str]:
    """The path, then the blocks around it, the innermost first."""
    ends = [i for i, c in enumerate(path) if c in ".["]
    return [path, *(path[:end] for end in reversed(ends))]
