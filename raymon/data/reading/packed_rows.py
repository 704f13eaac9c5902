"""Rows before they are a batch: all columns in a few arrays, which are fast to cut and join.

These are arrays of numpy, not tensors: torch would take threads away from the training.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from raymon.data.batch import Batch, IdList, JoinedIds, join_ids
from raymon.data.reading.recycled_memory import RecycledMemory


@dataclass(frozen=True)
class Places:
    """Index of the row of an array of `PackedRows` that holds each column, by name.

    Attributes:
        dense: Rows of `reals` that hold dense features.
        labels: Rows of `reals` that hold labels.
        weights: Rows of `reals` that hold sample weights.
        sparse: Rows of `integers` that hold sparse features.
        keys: Rows of `integers` that hold grouping keys.
        memory: Memory from which the arrays are made.
    """

    dense: Mapping[str, int]
    labels: Mapping[str, int]
    weights: Mapping[str, int]
    sparse: Mapping[str, int]
    keys: Mapping[str, int]
    memory: RecycledMemory = field(default_factory=RecycledMemory)

    @classmethod
    def of(
        cls,
        dense: Sequence[str],
        labels: Sequence[str],
        weights: Sequence[str],
        sparse: Sequence[str],
        keys: Sequence[str],
    ) -> Places:
        """Returns places with one row for each name."""
        reals, integers = iter(range(1 << 30)), iter(range(1 << 30))
        return cls(
            dict(zip(dense, reals, strict=False)),
            dict(zip(labels, reals, strict=False)),
            dict(zip(weights, reals, strict=False)),
            dict(zip(sparse, integers, strict=False)),
            dict(zip(keys, integers, strict=False)),
        )

    def gap(self, rows: int) -> PackedRows:
        """Returns placeholders of rows that are left out: they keep their places, in no batch."""
        empty = self.empty(rows)
        empty.reals.fill(0)
        empty.integers.fill(0)
        return replace(empty, missing=np.ones(rows, np.bool_))

    def empty(self, rows: int) -> PackedRows:
        """Returns memory for some rows, with arbitrary values."""
        reals = len(self.dense) + len(self.labels) + len(self.weights)
        integers = len(self.sparse) + len(self.keys)
        return PackedRows(
            self,
            self.memory.empty((reals, rows), np.float32),
            self.memory.empty((integers, rows), np.int64),
            {},
            {},
        )


@dataclass(frozen=True)
class PackedRows:
    """Rows, column by column.

    Attributes:
        places: Rows of the arrays that hold the columns.
        reals: Columns of one number a row, float32 `[R, B]`.
        integers: Columns of one integer a row, int64 `[I, B]`; the place of a feature in `ragged`
            has arbitrary values.
        ragged: Ids by feature, if not every row has exactly one, or if they have weights.
        wide: Numbers by feature, float32 `[B, value_dim]`, if value_dim is above 1.
        missing: Mask of the rows that are left out, bool `[B]`; None if none is.
    """

    places: Places
    reals: npt.NDArray[np.float32]
    integers: npt.NDArray[np.int64]
    ragged: dict[str, IdList]
    wide: dict[str, npt.NDArray[np.float32]]
    missing: npt.NDArray[np.bool_] | None = None

    @property
    def size(self) -> int:
        """The number of rows, B."""
        return int(self.reals.shape[1])

    def slice(self, begin: int, end: int) -> PackedRows:
        """Returns rows [begin, end), in the same memory."""
        return PackedRows(
            self.places,
            self.reals[:, begin:end],
            self.integers[:, begin:end],
            {name: ids.slice(begin, end) for name, ids in self.ragged.items()},
            {name: values[begin:end] for name, values in self.wide.items()},
            None if self.missing is None else self.missing[begin:end],
        )

    def take(self, rows: npt.NDArray[np.int64]) -> PackedRows:
        """Returns some rows, copied.

        Args:
            rows: Indices of the rows, int64 `[R]`.
        """
        taken = self.places.empty(len(rows))
        # Clipping is only faster: all indices are in range.
        self.reals.take(rows, 1, taken.reals, "clip")
        self.integers.take(rows, 1, taken.integers, "clip")
        return PackedRows(
            self.places,
            taken.reals,
            taken.integers,
            {name: ids.take(rows) for name, ids in self.ragged.items()},
            {name: values.take(rows, 0) for name, values in self.wide.items()},
            None if self.missing is None else self.missing.take(rows),
        )

    def place_of(self, feature: str) -> npt.NDArray[Any]:
        """Returns the memory `[B]` of a feature with one number or one id a row."""
        places = self.places
        place: npt.NDArray[Any]
        if feature in places.dense:
            place = self.reals[places.dense[feature]]
        else:
            place = self.integers[places.sparse[feature]]
        return place

    def ids(self, feature: str) -> IdList:
        """Returns the ids of a feature."""
        ragged = self.ragged.get(feature)
        return ragged or IdList(torch.from_numpy(self.integers[self.places.sparse[feature]]))

    def is_missing(self) -> npt.NDArray[np.bool_]:
        """Returns the mask of the rows that are left out, bool `[B]`."""
        return np.zeros(self.size, np.bool_) if self.missing is None else self.missing

    def wide_of(self, feature: str, dim: int) -> npt.NDArray[np.float32]:
        """Returns the numbers of a feature, float32 `[B, dim]`; zeros in a gap."""
        values = self.wide.get(feature)
        return np.zeros((self.size, dim), np.float32) if values is None else values

    def to_batch(self) -> Batch:
        """Returns the same rows as a batch, in the same memory, without those that are left out."""
        if self.missing is not None and self.missing.any():
            return replace(self.take(np.flatnonzero(~self.missing)), missing=None).to_batch()
        places, reals = self.places, torch.from_numpy(self.reals).unbind()
        keys = torch.from_numpy(self.integers)
        wide = {name: torch.from_numpy(values) for name, values in self.wide.items()}
        plain = self._plain_ids()
        joined = {} if plain is None else plain.by_name()
        return Batch(
            size=self.size,
            dense={
                name: wide[name] if name in wide else reals[place].unsqueeze(1)
                for name, place in places.dense.items()
            },
            sparse={name: self.ragged.get(name) or joined[name] for name in places.sparse},
            labels={name: reals[place] for name, place in places.labels.items()},
            weights={name: reals[place] for name, place in places.weights.items()},
            keys={name: keys[place] for name, place in places.keys.items()},
            plain_ids=plain,
        )

    def _plain_ids(self) -> JoinedIds | None:
        """Returns the ids of all features that are not ragged; None if all are."""
        names = tuple(name for name in self.places.sparse if name not in self.ragged)
        if not names:
            return None
        first, *others = (self.places.sparse[name] for name in names)
        if others == [*range(first + 1, first + len(names))]:
            values = self.integers[first : first + len(names)]
        else:
            values = self.integers.take([first, *others], 0)
        return JoinedIds(names, torch.from_numpy(values))


def join_rows(pieces: Sequence[PackedRows]) -> PackedRows:
    """Returns the rows of one piece or more with the same places, in their order."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    ragged = {name: None for piece in pieces for name in piece.ragged}
    wide = {name: values.shape[1] for piece in pieces for name, values in piece.wide.items()}
    missing = None
    if any(piece.missing is not None for piece in pieces):
        missing = np.concatenate([piece.is_missing() for piece in pieces])
    joined = first.places.empty(sum(piece.size for piece in pieces))
    np.concatenate([piece.reals for piece in pieces], 1, joined.reals)
    np.concatenate([piece.integers for piece in pieces], 1, joined.integers)
    return PackedRows(
        first.places,
        joined.reals,
        joined.integers,
        {name: join_ids([piece.ids(name) for piece in pieces]) for name in ragged},
        {
            name: np.concatenate([piece.wide_of(name, dim) for piece in pieces])
            for name, dim in wide.items()
        },
        missing,
    )


def take_rows(pieces: deque[PackedRows], rows: int) -> list[PackedRows]:
    """Removes `rows` rows, which must be there, from the front of some pieces, and returns them.

    They stay in the same memory.
    """
    taken = []
    while rows:
        piece = pieces.popleft()
        if piece.size > rows:
            pieces.appendleft(piece.slice(rows, piece.size))
            piece = piece.slice(0, rows)
        rows -= piece.size
        taken.append(piece)
    return taken
