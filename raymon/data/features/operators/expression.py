"""Numbers that are computed from others by an expression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.features.expressions.evaluation import Numbers, evaluate
from raymon.data.features.expressions.tree import Node
from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import Floats, Ints, lists_of, number_rows
from raymon.data.values.arrow_types import is_list, is_number, is_string

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Expression(Operator):
    """The value of an expression of the numbers of a row; none where a variable has none.

    Attributes:
        tree: Expression.
        variables: Its variables, one for each column.
        separator: Text between the numbers of one string.
        fill_missing: Number in place of the missing ones of a shorter list; NaN if a row whose
            lists differ in length has no value.
    """

    tree: Node
    variables: tuple[str, ...]
    separator: str
    fill_missing: float = math.nan

    @property
    def output_type(self) -> pa.DataType:
        """Numbers, or lists of them where rows have several."""
        return pa.float64()

    def accepted_types(self, index: int) -> str:
        """Returns the accepted types, in words for a message."""
        return "numbers, strings of them, or lists of them"

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether the column has numbers, or strings of them, or lists of either."""
        if is_list(column_type):
            column_type = column_type.value_type
        return is_number(column_type) or is_string(column_type)

    def from_numbers(self, index: int) -> bool:
        """True: variables are numbers."""
        return True

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the value of each row."""
        numbers = [number_rows(column, self.separator) for column in columns]
        has = np.logical_and.reduce([lengths > 0 for _, lengths in numbers])
        if math.isnan(self.fill_missing):
            has &= ~_differ([lengths for _, lengths in numbers])
        rows = int(has.sum())
        inputs = {
            name: _kept(values, lengths, has)
            for name, (values, lengths) in zip(self.variables, numbers, strict=True)
        }
        result = evaluate(self.tree, inputs, rows, self.fill_missing)
        if result.lengths is not None:
            lengths = np.zeros(len(has), np.int64)
            lengths[has] = result.lengths
            return lists_of(pa.array(result.values), lengths)
        if rows == len(has):
            return pa.array(result.values)
        values = np.zeros(len(has))
        values[has] = result.values
        return pa.array(values, mask=~has)


def _differ(lengths: Sequence[Ints]) -> Mask:
    """Returns the rows that have lists of different lengths, above 1."""
    most = np.maximum.reduce(list(lengths))
    differ = np.zeros(len(most), bool)
    for own in lengths:
        differ |= (own != most) & (own > 1)
    return differ


def _kept(values: Floats, lengths: Ints, has: Mask) -> Numbers:
    if not has.all():
        values, lengths = values[np.repeat(has, lengths)], lengths[has]
    return Numbers(values, None if (lengths == 1).all() else lengths)
