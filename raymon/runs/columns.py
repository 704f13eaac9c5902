"""Numbers by step, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


class Columns:
    """Numbers by step, each name a float64 column `[N]`; NaN where a line has no such number.

    Args:
        lines: Lines with a `global_step`, as they were parsed. Objects in them are flattened: the
            number `{"losses": {"total_loss": 0.5}}` is in the column `losses.total_loss`, and the
            first of a list in `learning_rates.0`.
    """

    def __init__(self, lines: Iterable[Mapping[str, Any]] = ()) -> None:
        rows = [dict(_numbers(line)) for line in lines]
        names = dict.fromkeys(name for row in rows for name in row)
        self._columns: dict[str, Column] = {
            name: np.array([row.get(name, np.nan) for row in rows], np.float64) for name in names
        }
        self._length = len(rows)

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


def _numbers(value: Any, name: str = "") -> Iterable[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _numbers(inner, f"{name}.{index}")
    elif isinstance(value, int | float):
        yield name, float(value)
