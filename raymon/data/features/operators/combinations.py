"""The combinations of the values of several columns, spelled out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from raymon.data.features.combo_feature import ComboFeature
from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.values import ID_TYPES, accepts_ids


@dataclass(frozen=True)
class Combinations(Operator):
    """The combinations of a row, with "_" between their values, as lists of texts.

    Attributes:
        parts: Number of columns.
        separator: Text between the values of one string.
        only_first: Whether a row has its first combination alone.
    """

    parts: int
    separator: str
    only_first: bool = False

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
        """Returns the texts of the combinations of each row."""
        names = tuple(map(str, range(self.parts)))
        combo = ComboFeature(
            name="",
            columns=names,
            value_dim=0,
            embedding=None,
            separator=self.separator,
            only_first=self.only_first,
        )
        return combo.texts(*columns)
