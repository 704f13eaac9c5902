"""The error of a value that a feature cannot be made from, whose row is known."""

from __future__ import annotations

from raymon.errors import DataError


class RowError(DataError):
    """A feature cannot be made from a value.

    Args:
        message: What is wrong, without the row.
        row: Index of the row among those that were converted.
    """

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row
