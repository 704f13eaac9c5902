"""The layout of columns that hold ids and numbers already."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Encoding:
    """The layout of columns that hold ids and numbers already.

    Attributes:
        separator: Text between the values of one string.
    """

    separator: str = "\x03"
