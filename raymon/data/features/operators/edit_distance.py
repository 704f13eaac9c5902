"""The number of edits between two texts, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import Ints
from raymon.data.values import arrow_types

Points = npt.NDArray[np.int32]

_CELLS = 1 << 20
"""Cells of the table of distances that are computed at a time."""


@dataclass(frozen=True)
class EditDistance(Operator):
    """Levenshtein's distance: the fewest insertions, deletions and replacements.

    Attributes:
        encoding: What a text is made of: "utf-8", characters; "latin", the bytes of them.
    """

    encoding: str = "latin"

    @property
    def output_type(self) -> pa.DataType:
        """Numbers."""
        return pa.float64()

    def accepted_types(self, index: int) -> str:
        """Returns the types that a column may have, in words for a message."""
        return "strings"

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether a column may have this type."""
        return arrow_types.is_string(column_type) or pa.types.is_null(column_type)

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the distances, float64 `[B]`, null where a text is missing."""
        first, second = (self._points(column) for column in columns)
        known = np.logical_and(*(column.is_valid().to_numpy(False) for column in columns))
        return pa.array(distances(*first, *second).astype(np.float64), mask=~known)

    def _points(self, column: pa.Array) -> tuple[Points, Ints]:
        """Returns the code points of texts, padded, `[B, L]`, and their lengths `[B]`."""
        texts = ["" if text is None else text for text in column.to_pylist()]
        if self.encoding == "latin":
            texts = [text.encode().decode("latin-1") for text in texts]
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        width = max(int(lengths.max(initial=0)), 1)
        return np.array(texts, dtype=f"<U{width}").view(np.int32).reshape(-1, width), lengths


def distances(first: Points, first_lengths: Ints, second: Points, second_lengths: Ints) -> Ints:
    """Returns Levenshtein's distances of texts, int64 `[B]`.

    They are computed by Wagner and Fischer (The String-to-String Correction Problem, 1974), for
    many rows at a time.

    Args:
        first: Code points of a text of each row, padded, `[B, L]`.
        first_lengths: Their numbers, `[B]`.
        second: Code points of the other texts, `[B, M]`.
        second_lengths: Their numbers, `[B]`.
    """
    size = max(1, _CELLS // (second.shape[1] + 1))
    found = [np.empty(0, np.int64)]
    for start in range(0, len(first), size):
        some = slice(start, start + size)
        part = _of_some(first[some], first_lengths[some], second[some], second_lengths[some])
        found.append(part)
    return np.concatenate(found)


def _of_some(first: Points, first_lengths: Ints, second: Points, second_lengths: Ints) -> Ints:
    steps = np.arange(second.shape[1] + 1)
    # The distances of what was read of the first text to each beginning of the second.
    row = np.tile(steps, (len(first), 1))
    found = second_lengths.copy()
    for index in range(int(first_lengths.max(initial=0))):
        replaced = row[:, :-1] + (first[:, index, None] != second)
        row[:, 1:] = np.minimum(row[:, 1:] + 1, replaced)
        row[:, 0] = index + 1
        # Insertions one after the other: the least of what is to the left, and the way from there.
        row = np.minimum.accumulate(row - steps, axis=1) + steps
        ended = first_lengths == index + 1
        found[ended] = row[ended, second_lengths[ended]]
    return found
