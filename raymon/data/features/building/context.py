"""What the builder of a feature knows beside the block of the feature."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.data.features.encoding import Encoding
from raymon.errors import ConfigError
from raymon.protos import feature_pb2

Constraints = feature_pb2.ParameterConstraints | None
"""Constraints of the tables of a config; None for none."""

_SIDES = ("user", "item", "context")

FROM_FEATURE, CONSTANT = "\0feature:", "\0const:"
"""What stands before the name of a feature, or before a text, in place of the name of a column."""


@dataclass(frozen=True)
class Context:
    """The place of a block in the config, and what holds for all blocks.

    Attributes:
        place: Path of the block, for messages.
        encoding: Layout of columns that hold ids and numbers already; None if they are raw.
        constraints: Constraints of tables whose features have none; None for no constraints.
    """

    place: str
    encoding: Encoding | None = None
    constraints: Constraints = None

    def name(self, name: str) -> str:
        """Returns the name of the feature.

        Raises:
            ConfigError: It is empty.
        """
        if not name:
            raise ConfigError(f"{self.place}.feature_name: is empty; give the feature a name")
        return name

    def column(self, expression: str, field: str = "expression") -> str:
        """Returns the column that a field of the block names, or what stands in its place.

        It is a feature with "feature:NAME", and a text for all rows with "const:TEXT".

        Args:
            expression: Text of the field.
            field: Name of the field.

        Raises:
            ConfigError: It names no column.
        """
        if not expression:
            raise ConfigError(
                f'{self.place}.{field}: is missing; write "user:COLUMN", "item:COLUMN" or '
                '"context:COLUMN", or set data_config.fg_mode: FG_NONE where columns hold ids '
                "already"
            )
        side, _, column = expression.partition(":")
        if side == "feature" and column:
            return f"{FROM_FEATURE}{column}"
        if side == "const":
            return f"{CONSTANT}{column}"
        if side not in _SIDES or not column:
            raise ConfigError(
                f'{self.place}.{field}: "{expression}" names no column; write "user:COLUMN", '
                '"item:COLUMN" or "context:COLUMN"'
            )
        return column

    def separator(self, separator: str) -> str:
        """Returns what is between the values of one string.

        Raises:
            ConfigError: It is empty.
        """
        if not separator:
            raise ConfigError(
                f'{self.place}.separator: is empty; give what is between values, such as ","'
            )
        return separator
