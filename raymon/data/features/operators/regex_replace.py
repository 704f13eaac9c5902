"""Texts in which patterns are replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import lists_of, value_rows
from raymon.data.features.operators.values import ID_TYPES, accepts_ids
from raymon.data.values.canonical import canonical_texts


@dataclass(frozen=True)
class RegexReplace(Operator):
    r"""The values of a row, with regular expressions of RE2 replaced one after the other.

    Attributes:
        patterns: Regular expressions.
        replacement: Text in their place, in which `\1` is the first group.
        replace_all: Whether every place is replaced, or the first one only.
        separator: Text between the values of one string; None if a string is one value.
    """

    patterns: tuple[str, ...]
    replacement: str
    replace_all: bool
    separator: str | None

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
        """Returns the texts of each row."""
        rows = value_rows(columns[0], self.separator)
        texts = canonical_texts(rows.values)
        for pattern in self.patterns:
            texts = pc.replace_substring_regex(
                texts,
                pattern,
                self.replacement,
                max_replacements=None if self.replace_all else 1,
            )
        return lists_of(texts, rows.lengths)
