"""Numbers of values by a map, several of a row combined into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.operators.combiner import combined
from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import number_rows, value_rows
from raymon.data.features.operators.values import ID_TYPES, accepts_ids
from raymon.data.values.canonical import canonical_text, canonical_texts


@dataclass(frozen=True)
class Combine(Operator):
    """The numbers of the values of a row, combined; values that the map does not have are left out.

    Attributes:
        numbers: Number of each value, in canonical form; empty if values are numbers themselves.
        combiner: What becomes of several numbers.
        separator: Text between the values of one string.
    """

    numbers: tuple[tuple[str, float], ...]
    combiner: str
    separator: str

    @property
    def output_type(self) -> pa.DataType:
        """Numbers."""
        return pa.float64()

    def accepted_types(self, index: int) -> str:
        """Returns the accepted types, in words for a message."""
        return ID_TYPES if self.numbers else "numbers, strings of them, or lists of them"

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether values, or the items of lists, have a canonical form."""
        return accepts_ids(column_type)

    def from_numbers(self, index: int) -> bool:
        """Whether values are numbers, without a map."""
        return not self.numbers

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the number of each row."""
        if not self.numbers:
            return combined(*number_rows(columns[0], self.separator), self.combiner)
        rows = value_rows(columns[0], self.separator)
        known = pa.array([canonical_text(text) for text, _ in self.numbers], pa.large_string())
        found = pc.index_in(canonical_texts(rows.values), known)
        places = found.drop_null().to_numpy(zero_copy_only=False)
        numbers = np.array([number for _, number in self.numbers])[places]
        kept = rows.rows[found.is_valid().to_numpy(zero_copy_only=False)]
        lengths = np.bincount(kept, minlength=len(rows.lengths))
        return combined(numbers, lengths, self.combiner)
