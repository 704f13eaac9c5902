"""The values of one column where those of another are true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.operators.operator import Operator, RowValueError
from raymon.data.features.operators.rows import Ints, lists_of
from raymon.data.features.operators.values import ID_TYPES, accepts_ids
from raymon.data.values import arrow_types
from raymon.data.values.arrow_types import is_list, is_string
from raymon.data.values.canonical import canonical_texts

_TRUE, _FALSE = ("1", "true"), ("0", "false", "")


@dataclass(frozen=True)
class BoolMask(Operator):
    """The values whose mask is true; a row has as many booleans as values.

    Booleans are true, false, 1 and 0, in texts of any case.

    Attributes:
        separator: Text between the values, and the booleans, of one string.
        only_first: Whether a row has its first value alone.
    """

    separator: str
    only_first: bool = False

    @property
    def output_type(self) -> pa.DataType:
        """Lists of texts."""
        return pa.large_list(pa.large_string())

    def accepted_types(self, index: int) -> str:
        """Returns the accepted types, in words for a message."""
        return ID_TYPES if index == 0 else "booleans, 0 and 1, strings of them, or lists of them"

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether the first column has values, and the second booleans."""
        return accepts_ids(column_type)

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the values of each row whose mask is true."""
        (values, lengths), (masks, mask_lengths) = (self._items(c) for c in columns)
        wrong = lengths != mask_lengths
        if wrong.any():
            row = int(np.argmax(wrong))
            raise RowValueError(
                f"{lengths[row]} values and {mask_lengths[row]} booleans; there must be as many",
                row,
            )
        rows = np.repeat(np.arange(len(lengths)), lengths)
        kept = _booleans(masks, rows)
        if self.only_first:
            places = np.flatnonzero(kept)
            first = np.append(True, rows[places][1:] != rows[places][:-1])[: len(places)]
            kept = np.zeros(len(rows), bool)
            kept[places[first]] = True
        chosen = values.filter(pa.array(kept))
        return lists_of(canonical_texts(chosen), np.bincount(rows[kept], minlength=len(lengths)))

    def _items(self, column: pa.Array) -> tuple[pa.Array, Ints]:
        if is_string(column.type):
            empty = pc.equal(column, "")
            column = pc.if_else(empty, pa.scalar(None, column.type), column)
            column = pc.split_pattern(column, self.separator)
        if is_list(column.type):
            lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
            return arrow_types.as_array(column.flatten()), lengths.astype(np.int64)
        there = column.is_valid().to_numpy(zero_copy_only=False)
        return column.drop_null(), there.astype(np.int64)


def _booleans(masks: pa.Array, rows: Ints) -> npt.NDArray[np.bool_]:
    texts = pc.ascii_lower(canonical_texts(masks)).fill_null("")
    texts = pc.utf8_trim_whitespace(texts)
    true = pc.is_in(texts, pa.array(_TRUE, texts.type)).to_numpy(zero_copy_only=False)
    known = pc.is_in(texts, pa.array((*_TRUE, *_FALSE), texts.type))
    wrong = ~known.to_numpy(zero_copy_only=False)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise RowValueError(f"{masks[place].as_py()!r} is no boolean", int(rows[place]))
    result: npt.NDArray[np.bool_] = true
    return result
