"""The values of a column as they are, in canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import lists_of, value_rows
from raymon.data.values import arrow_types
from raymon.data.values.canonical import canonical_texts, is_value


@dataclass(frozen=True)
class Values(Operator):
    """The values of a column, in canonical form, as lists of texts.

    Attributes:
        separator: Text between the values of one string; None if a string is one value.
    """

    separator: str | None = None

    @property
    def output_type(self) -> pa.DataType:
        """Lists of texts."""
        return pa.large_list(pa.large_string())

    def accepted_types(self, index: int) -> str:
        """Returns the accepted types, in words for a message."""
        return ID_TYPES

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether values, or the items of lists, have a canonical form."""
        return accepts_ids(column_type)

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the texts of the values of each row."""
        rows = value_rows(columns[0], self.separator)
        return lists_of(canonical_texts(rows.values), rows.lengths)


ID_TYPES = "integers, strings, dates or whole numbers, or lists of them"
"""The types of columns whose values become ids or keys, in words for a message."""


def accepts_ids(column_type: pa.DataType) -> bool:
    """Whether values, or the items of lists, have a canonical form."""
    if arrow_types.is_list(column_type):
        column_type = column_type.value_type
    return is_value(column_type)
