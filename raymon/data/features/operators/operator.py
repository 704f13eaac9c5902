"""The interface of an operator, which makes one column of values of several columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pyarrow as pa


class RowValueError(ValueError):
    """A value that an operator cannot take.

    Args:
        message: What is wrong, and what would be right.
        row: Index of its row.
    """

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


class Operator(ABC):
    """A function of some columns, row by row, to a column of values."""

    @property
    @abstractmethod
    def output_type(self) -> pa.DataType:
        """The type of the values: of numbers or texts, or of lists of them."""

    @abstractmethod
    def accepted_types(self, index: int) -> str:
        """Returns the types that a column may have, in words for a message."""

    @abstractmethod
    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether a column may have this type."""

    def from_numbers(self, index: int) -> bool:
        """Whether the values of a column are numbers to compute with."""
        return False

    @abstractmethod
    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the values of B rows, null where there is none.

        Args:
            columns: Columns `[B]` of accepted types, without dictionaries.

        Raises:
            RowValueError: A value is wrong, and its row is known.
            ValueError: A value is wrong.
        """
