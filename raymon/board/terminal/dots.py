"""Curves as dots, and dots as characters: braille, or ASCII where there is nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Dots = NDArray[np.bool_]

CELL, ASCII_CELL = (4, 2), (3, 1)
"""Rows and columns of dots in a character."""

_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_ASCII_BITS = np.array([[1], [2], [4]])
_ASCII = " '-\".:_|"


def curve_dots(x: Numbers, y: Numbers, columns: int, rows: int) -> Dots:
    """Returns the dots of a curve, bool `[rows, columns]`, the first row on top.

    Each column has the least and the largest of its values and all between them, so no peak is lost
    however many values share a column. Where a value is missing the curve has a gap.

    Args:
        x: Places `[N]` from 0 to 1, ascending; where they go back, as a clock may, there is a gap.
        y: Values `[N]` from 0, at the bottom, to 1; NaN for none.
        columns: Columns of dots.
        rows: Rows of dots.
    """
    edges = np.zeros((rows + 1, columns), np.int64)
    known = np.isfinite(x) & np.isfinite(y)
    piece = np.cumsum(~known)[known]
    column = np.rint(np.clip(x[known], 0, 1) * (columns - 1)).astype(np.int64)
    row = np.rint((1 - np.clip(y[known], 0, 1)) * (rows - 1)).astype(np.int64)
    if len(column) == 0:
        return np.zeros((rows, columns), np.bool_)
    begins = np.r_[True, (piece[1:] != piece[:-1]) | (column[1:] != column[:-1])]
    first = np.flatnonzero(begins)
    _fill(edges, column[first], np.minimum.reduceat(row, first), np.maximum.reduceat(row, first))
    last = first[1:] - 1
    joined = (piece[first[1:]] == piece[last]) & (column[first[1:]] > column[last])
    _join(edges, column, row, last[joined], first[1:][joined])
    return np.cumsum(edges, axis=0)[:-1] > 0


def _join(edges: NDArray[np.int64], column: NDArray[np.int64], row: NDArray[np.int64],
          start: NDArray[np.int64], end: NDArray[np.int64]) -> None:  # fmt: skip
    """Draws the lines between values in different columns."""
    width = column[end] - column[start]
    counts = width + 1
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    width, height = np.repeat(width, counts), np.repeat(row[end] - row[start], counts)
    begin = np.repeat(row[start], counts)
    left, right = np.maximum(step - 0.5, 0), np.minimum(step + 0.5, width)
    one = np.rint(begin + height * left / width).astype(np.int64)
    other = np.rint(begin + height * right / width).astype(np.int64)
    at = np.repeat(column[start], counts) + step
    _fill(edges, at, np.minimum(one, other), np.maximum(one, other))


def _fill(edges: NDArray[np.int64], column: NDArray[np.int64], top: NDArray[np.int64],
          bottom: NDArray[np.int64]) -> None:  # fmt: skip
    np.add.at(edges, (top, column), 1)
    np.add.at(edges, (bottom + 1, column), -1)


def dot_lines(dots: Dots, *, has_unicode: bool = True) -> list[str]:
    """Returns dots as characters, a text for each row of them."""
    tall, wide = CELL if has_unicode else ASCII_CELL
    rows, columns = dots.shape[0] // tall, dots.shape[1] // wide
    cells = dots.reshape(rows, tall, columns, wide).transpose(0, 2, 1, 3)
    codes = (cells * (_BITS if has_unicode else _ASCII_BITS)).sum(axis=(2, 3))
    if has_unicode:
        return ["".join(chr(0x2800 + code) if code else " " for code in row) for row in codes]
    return ["".join(_ASCII[code] for code in row) for row in codes]
