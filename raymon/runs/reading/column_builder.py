"""Columns that grow with the lines that are read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping

import numpy as np

from raymon.runs.columns import MOST_COLUMNS, Column, Columns
from raymon.runs.reading.line_numbers import LineNumbers, numbers_of_lines
from raymon.runs.reading.piece import Piece

_LEAST = 256
_GROWTH = 1.5


class ColumnBuilder:
    """Columns of all lines so far.

    What it gave out stays as it is: lines are added behind what is seen of an array, and an array
    of which lines are taken back is copied. N lines with C numbers take at most 12 * N * C bytes.

    Args:
        numbers: Function that returns the numbers of lines, of which it gets the number too.
    """

    def __init__(self, numbers: Callable[[bytes, int], LineNumbers] = numbers_of_lines) -> None:
        self._numbers = numbers
        self._lines = 0
        self._rows = 0
        # Lines that are no objects, and so have no row.
        self._others: list[int] = []
        self._capacity = _LEAST
        self._arrays: dict[str, Column] = {}

    def take(self, piece: Piece) -> None:
        """Takes back the lines that are gone, and adds those that follow."""
        if piece.kept < self._lines:
            self._cut(piece.kept)
        if piece.data:
            found = self._numbers(piece.data, piece.lines)
            self._add(found.columns, found.rows)
            self._others += [self._lines + place for place in found.others]
            self._lines += piece.lines

    def value(self) -> Columns:
        """Returns the columns, which do not change any more."""
        return Columns({n: a[: self._rows] for n, a in self._arrays.items()}, self._rows)

    def _add(self, columns: Mapping[str, Column], rows: int) -> None:
        end = self._rows + rows
        if end > self._capacity:
            self._capacity = max(end, int(self._capacity * _GROWTH))
            self._arrays = {n: self._grown(a, self._rows) for n, a in self._arrays.items()}
        for name, column in columns.items():
            if name not in self._arrays:
                if len(self._arrays) >= MOST_COLUMNS:
                    continue
                self._arrays[name] = np.full(self._capacity, np.nan)
            self._arrays[name][self._rows : end] = column
        self._rows = end

    def _cut(self, lines: int) -> None:
        rows = lines - bisect_left(self._others, lines)
        del self._others[bisect_left(self._others, lines) :]
        self._arrays = {
            name: self._grown(array, rows)
            for name, array in self._arrays.items()
            if np.isfinite(array[:rows]).any()
        }
        self._lines, self._rows = lines, rows

    def _grown(self, array: Column, rows: int) -> Column:
        grown = np.full(self._capacity, np.nan)
        grown[:rows] = array[:rows]
        return grown
