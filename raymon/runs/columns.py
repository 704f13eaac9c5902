"""Numbers by step, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

MOST_COLUMNS = 5_000
"""Columns of lines; those of a run are a hundred, and a file may have a name in each line."""

LONGEST_NAME = 1_000
"""Characters of the name of a column; what is longer is no name."""


class Columns:
    """Numbers by step, each name a float64 column `[N]`; NaN where a line has no such number.

    It does not change: what is read later is in another one, so that threads may share it. Its
    arrays cannot be written to.

    Args:
        columns: The columns by name.
        length: Number of lines, N.
    """

    def __init__(self, columns: Mapping[str, Column] | None = None, length: int = 0) -> None:
        self._columns = dict(columns or {})
        self._length = length
        for column in self._columns.values():
            column.flags.writeable = False

    @classmethod
    def of_lines(cls, lines: Iterable[Mapping[str, Any]]) -> Columns:
        """Returns the numbers of lines, as they were parsed.

        Objects in them are flattened: the number `{"losses": {"total_loss": 0.5}}` is in the column
        `losses.total_loss`, and the first of a list in `learning_rates.0`. Texts are in none. A
        column that no line has a finite number for does not exist. Of more than `MOST_COLUMNS`
        the first are there, and none with a name of more than `LONGEST_NAME` characters.
        """
        rows = [dict(numbers_in(line)) for line in lines]
        columns = columns_of_rows(rows)
        return cls(columns, len(rows))

    def __len__(self) -> int:
        return self._length

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._columns)

    @property
    def step(self) -> Column:
        """Steps `[N]` at the end of the lines."""
        return self.column("global_step")

    @property
    def time(self) -> Column:
        """Seconds since 1970, UTC, `[N]`; NaN where they are not known."""
        return self.column("time")

    def column(self, name: str) -> Column:
        """Returns a column `[N]`; all NaN if there is none of that name."""
        found = self._columns.get(name)
        return np.full(self._length, np.nan) if found is None else found

    def last(self, name: str) -> float:
        """Returns the newest number of a column; NaN if there is none."""
        column = self._columns.get(name)
        return float("nan") if column is None or not self._length else float(column[-1])

    def taken(self, rows: NDArray[np.intp]) -> Columns:
        """Returns the columns of some lines, in the order of `rows`."""
        columns = {name: column[rows] for name, column in self._columns.items()}
        return Columns(columns, len(rows))


def columns_of_rows(rows: list[dict[str, float]]) -> dict[str, Column]:
    """Returns the columns `[N]` of N rows of numbers by name, each with a finite one in it."""
    names = dict.fromkeys(name for row in rows for name in row if len(name) <= LONGEST_NAME)
    columns = dict[str, Column]()
    for name in names:
        if len(columns) == MOST_COLUMNS:
            break
        column = np.array([row.get(name, np.nan) for row in rows], np.float64)
        finite = np.isfinite(column)
        if finite.any():
            column[~finite] = np.nan
            columns[name] = column
    return columns


def numbers_in(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Yields the numbers in a parsed line, with their names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from numbers_in(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers_in(inner, f"{name}.{index}")
    elif isinstance(value, int | float):
        try:
            yield name, float(value)
        except OverflowError:
            # An integer beyond all floats has no place on a curve.
            return
