"""Made columns: what the cells of one hold, and an Arrow array of it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

_NULLS = 0.05
_LONGEST = 6


@dataclass(frozen=True)
class Cells:
    """What the cells of a column hold.

    Attributes:
        kind: "id" (integers), "word" (texts) or "number".
        pool: Values to choose from; empty for numbers in [0, 1).
        strength: Of two uses of a column the stronger says what it holds.
        separator: Text between the values of a cell.
        dims: Number of values of a cell, if it is always the same.
        several: Whether a cell may have several values, or none.
        weighted: Whether values have weights.
        sequence: Text between the elements of a sequence; empty for none.
        lengths: Sequences with the same name are of equal length in a row.
        longest: Elements of the longest sequence.
        nullable: Whether cells may be null.
        lists: Whether several values are a list, and not one text.
    """

    kind: str
    pool: tuple[str, ...] = ()
    strength: int = 0
    separator: str = "\x1d"
    dims: int = 1
    several: bool = False
    weighted: bool = False
    sequence: str = ""
    lengths: str = ""
    longest: int = 0
    nullable: bool = True
    lists: bool = False


class Rows:
    """Rows of made data; the same seed makes the same rows.

    Args:
        size: Number of rows.
        seed: Seed of all columns.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self._seed = seed
        self._lengths: dict[str, list[int]] = {}

    def texts(self, name: str, cells: Cells) -> list[str | None]:
        """Returns the cells of a column as texts; None is null."""
        rng = self._random(name)
        if cells.sequence:
            return [
                cells.sequence.join(self._cell(rng, cells) for _ in range(length)) or None
                for length in self._lengths_of(cells)
            ]
        values = [self._cell(rng, cells) for _ in range(self.size)]
        nulls = rng.random(self.size) < _NULLS if cells.nullable else [False] * self.size
        return [
            None if null or not value else value for value, null in zip(values, nulls, strict=True)
        ]

    def array(self, name: str, cells: Cells) -> pa.Array:
        """Returns the cells of a column: lists if `lists`, numbers if they are, else texts."""
        texts = self.texts(name, cells)
        types = {"id": pa.int64(), "number": pa.float32(), "word": pa.string()}
        item = types[cells.kind]
        inner = cells.dims > 1 or cells.several or cells.weighted
        if not cells.sequence and not inner:
            return pa.array(texts).cast(item)
        if not cells.lists or cells.weighted or (cells.sequence and inner):
            return pa.array(texts, pa.string())
        between = cells.sequence or cells.separator
        parts = [None if text is None else text.split(between) for text in texts]
        return pa.array(parts, pa.list_(pa.string())).cast(pa.list_(item))

    def _cell(self, rng: np.random.Generator, cells: Cells) -> str:
        count = int(rng.integers(0, 4)) if cells.several else cells.dims
        if cells.several and cells.sequence:
            count = max(count, 1)
        values = [_value(rng, cells) for _ in range(count)]
        if cells.several:
            values = list(dict.fromkeys(values))
        if cells.weighted:
            values = [f"{value}:{rng.integers(1, 9) / 4}" for value in values]
        return cells.separator.join(values)

    def _lengths_of(self, cells: Cells) -> list[int]:
        if cells.lengths not in self._lengths:
            rng = self._random(f"lengths of {cells.lengths}")
            lengths = rng.integers(0, _LONGEST, self.size)
            # One is longer than the model takes.
            lengths[self.size // 2] = cells.longest + 3
            self._lengths[cells.lengths] = lengths.tolist()
        return self._lengths[cells.lengths]

    def _random(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, zlib.crc32(name.encode())])


def stronger(first: Cells | None, second: Cells) -> Cells:
    """Returns what a column holds that has two uses."""
    if first is None:
        return second
    best, other = (first, second) if first.strength >= second.strength else (second, first)
    nullable = first.nullable and second.nullable
    # Where one use takes one value, there is one.
    several = best.several and other.several
    return replace(best, nullable=nullable, several=several)


def _value(rng: np.random.Generator, cells: Cells) -> str:
    if not cells.pool:
        return str(round(float(rng.random()), 3))
    # The first ones are frequent, as ids are.
    return cells.pool[int(len(cells.pool) * rng.random() ** 2)]
