"""The layout of columns that have the names of the features."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Encoding:
    """The layout of columns that have the names of the features, and hold ids and numbers already.

    Attributes:
        separator: Text between the values of one string.
        bucketized: Whether they hold ids; if not, they hold values that become ids or buckets yet,
            and numbers that are normalized.
    """

    separator: str = "\x03"
    bucketized: bool = True
