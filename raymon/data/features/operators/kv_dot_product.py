"""The dot product of two sparse vectors of the same row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from raymon.data.features.operators.lookup import numbers_of
from raymon.data.features.operators.maps import MAP_TYPES, accepts_maps, entries_of
from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import pairs_of_rows
from raymon.data.features.operators.values import accepts_ids
from raymon.data.values.hashing import hash_values


@dataclass(frozen=True)
class KvDotProduct(Operator):
    """The sum of products of the numbers of the keys that two vectors share.

    A key without a number has 1, so that the dot product of two sets is the size of what they
    share. A row of which one side is empty has no value.

    Attributes:
        separator: Text between the entries of one string.
        delimiter: Text between a key and its number.
    """

    separator: str
    delimiter: str = ":"

    @property
    def output_type(self) -> pa.DataType:
        """Numbers."""
        return pa.float64()

    def accepted_types(self, index: int) -> str:
        """Returns the accepted types, in words for a message."""
        return f"{MAP_TYPES}, or keys alone"

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether the column has vectors."""
        return accepts_maps(column_type) or accepts_ids(column_type)

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the dot product of each row."""
        first, second = (entries_of(c, self.separator, self.delimiter, "1") for c in columns)
        ours, theirs = pairs_of_rows(first.lengths, second.lengths)
        same = hash_values(first.keys)[ours] == hash_values(second.keys)[theirs]
        ours, theirs = ours[same], theirs[same]
        rows = np.repeat(np.arange(len(first.lengths)), first.lengths)[ours]
        products = numbers_of(first.values.take(pa.array(ours)), rows)
        products = products * numbers_of(second.values.take(pa.array(theirs)), rows)
        sums = np.bincount(rows, weights=products, minlength=len(first.lengths))
        return pa.array(sums, mask=(first.lengths == 0) | (second.lengths == 0))
