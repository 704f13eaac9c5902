"""Rows before they are a batch: all columns in a few arrays, which are fast to cut and join.

These are arrays of numpy, not tensors: torch would take threads away from the training.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, takewhile
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from raymon.data.batch import Batch, IdList, JoinedIds, Positions
from raymon.data.batch_layout import BatchLayout
from raymon.data.reading.joined_ids import Cuts, join_ids, joined_nbytes, whole_words
from raymon.data.reading.joined_positions import join_positions, positions_nbytes
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
        sequences: Numbers of a position of each sequence feature; 0 if it has ids.
        memory: Memory from which the arrays are made.
    """

    dense: Mapping[str, int]
    labels: Mapping[str, int]
    weights: Mapping[str, int]
    sparse: Mapping[str, int]
    keys: Mapping[str, int]
    sequences: Mapping[str, int] = field(default_factory=dict)
    memory: RecycledMemory = field(default_factory=RecycledMemory)

    @classmethod
    def of(
        cls,
        dense: Sequence[str],
        labels: Sequence[str],
        weights: Sequence[str],
        sparse: Sequence[str],
        keys: Sequence[str],
        ragged: Collection[str] = (),
        sequences: Mapping[str, int] | None = None,
    ) -> Places:
        """Returns places with one row for each name.

        Args:
            dense: Names of dense features.
            labels: Names of labels.
            weights: Names of sample weights.
            sparse: Names of sparse features.
            keys: Names of grouping keys.
            ragged: Sparse features that are likely to be ragged: their rows follow those of the
                others, which so are one matrix.
            sequences: Numbers of a position of each sequence feature; 0 if it has ids.
        """
        reals, integers = iter(range(1 << 30)), iter(range(1 << 30))
        ordered = sorted(sparse, key=lambda name: name in ragged)
        row_of = dict(zip(ordered, integers, strict=False))
        return cls(
            dict(zip(dense, reals, strict=False)),
            dict(zip(labels, reals, strict=False)),
            dict(zip(weights, reals, strict=False)),
            {name: row_of[name] for name in sparse},
            dict(zip(keys, integers, strict=False)),
            dict(sequences or {}),
        )

    def gap(self, rows: int) -> PackedRows:
        """Returns placeholders of rows that are left out: they keep their places, in no batch."""
        empty = self.empty(rows)
        empty.reals.fill(0)
        empty.integers.fill(0)
        for name, dim in self.sequences.items():
            empty.sequences[name] = Positions.none(rows, dim)
        return replace(empty, missing=np.ones(rows, np.bool_))

    def empty(self, rows: int, further_bytes: int = 0) -> PackedRows:
        """Returns memory for some rows, with arbitrary values.

        Args:
            rows: Number of rows.
            further_bytes: Bytes of the memory after those of the arrays, a multiple of 8.
        """
        reals = len(self.dense) + len(self.labels) + len(self.weights)
        integers = len(self.sparse) + len(self.keys)
        begin = 8 * integers * rows
        end = begin + 4 * reals * rows
        tensor = self.memory.tensor(whole_words(end) + further_bytes)
        memory = tensor.numpy()
        return PackedRows(
            self,
            memory[begin:end].view(np.float32).reshape(reals, rows),
            memory[:begin].view(np.int64).reshape(integers, rows),
            {},
            {},
            {},
            tensor,
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
        sequences: Positions by sequence feature.
        memory: Memory in which both arrays lie, uint8.
        missing: Mask of the rows that are left out, bool `[B]`; None if none is.
    """

    places: Places
    reals: npt.NDArray[np.float32]
    integers: npt.NDArray[np.int64]
    ragged: dict[str, IdList]
    wide: dict[str, npt.NDArray[np.float32]]
    sequences: dict[str, Positions]
    memory: torch.Tensor
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
            {name: each.slice(begin, end) for name, each in self.sequences.items()},
            self.memory,
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
            {name: each.take(rows) for name, each in self.sequences.items()},
            taken.memory,
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
        """Returns the same rows as a batch, without those that are left out.

        All its tensors lie in one memory: in this one, unless ragged or wide columns lie elsewhere.
        """
        if self.missing is not None and self.missing.any():
            return replace(self.take(np.flatnonzero(~self.missing)), missing=None).to_batch()
        batch = self._batch()
        if self._is_whole(batch):
            return batch
        layout = BatchLayout.of(batch)
        memory = self.places.memory.tensor(layout.nbytes)
        layout.pack(batch, memory)
        return layout.views(memory)

    def _batch(self) -> Batch:
        places, reals = self.places, self._tensor(self.reals).unbind()
        integers = self._tensor(self.integers)
        wide = {name: self._tensor(values) for name, values in self.wide.items()}
        plain = self._plain_ids(integers)
        ids = {**plain.by_name(), **self.ragged}
        return Batch(
            size=self.size,
            dense={
                name: wide[name] if name in wide else reals[place].unsqueeze(1)
                for name, place in places.dense.items()
            },
            sparse={
                name: ids.get(name) or IdList(integers[at]) for name, at in places.sparse.items()
            },
            labels={name: reals[place] for name, place in places.labels.items()},
            weights={name: reals[place] for name, place in places.weights.items()},
            keys={name: integers[place] for name, place in places.keys.items()},
            plain_ids=plain if plain.names else None,
            sequences=self.sequences,
        )

    def _is_whole(self, batch: Batch) -> bool:
        """Returns whether all of a batch lies in `memory`, and all plain ids are in one matrix."""
        plain = 0 if batch.plain_ids is None else len(batch.plain_ids.names)
        if plain + len(self.ragged) < len(batch.sparse):
            return False
        parts = [batch.dense[name] for name in self.wide]
        for ids in self.ragged.values():
            parts += [part for part in (ids.values, ids.offsets, ids.weights) if part is not None]
        parts += [part for each in self.sequences.values() for part in each.tensors()]
        own = self.memory.data_ptr()
        return all(part.untyped_storage().data_ptr() == own for part in parts)

    def _plain_ids(self, integers: torch.Tensor) -> JoinedIds:
        """Returns the ids of the features that are not ragged, up to the first gap between them."""
        plain = {at: name for name, at in self.places.sparse.items() if name not in self.ragged}
        begin = min(plain, default=0)
        names = tuple(plain[at] for at in takewhile(plain.__contains__, count(begin)))
        return JoinedIds(names, integers[begin : begin + len(names)])

    def _tensor(self, array: npt.NDArray[Any]) -> torch.Tensor:
        """Returns an array as a tensor, of the storage of `memory` if it lies there."""
        begin, size = array.__array_interface__["data"][0] - self.memory.data_ptr(), array.itemsize
        if array.size and not 0 <= begin < self.memory.nbytes:
            return torch.from_numpy(array)
        words = self.memory.view(torch.int64 if array.dtype == np.int64 else torch.float32)
        strides = [stride // size for stride in array.strides]
        return words.as_strided(array.shape, strides, begin // size if array.size else 0)


def join_rows(pieces: Sequence[PackedRows]) -> PackedRows:
    """Returns the rows of one piece or more with the same places, in their order.

    Those of several pieces all lie in one memory.
    """
    first = pieces[0]
    if len(pieces) == 1:
        return first
    rows = sum(piece.size for piece in pieces)
    ragged = {name: None for piece in pieces for name in piece.ragged}
    wide = {name: values.shape[1] for piece in pieces for name, values in piece.wide.items()}
    missing = None
    if any(piece.missing is not None for piece in pieces):
        missing = np.concatenate([piece.is_missing() for piece in pieces])
    parts = {name: [piece.ids(name) for piece in pieces] for name in ragged}
    sequences = {n: [piece.sequences[n] for piece in pieces] for n in first.places.sequences}
    further = [4 * rows * dim for dim in wide.values()]
    further += [joined_nbytes(lists) for lists in parts.values()]
    further += [positions_nbytes(lists) for lists in sequences.values()]
    joined = first.places.empty(rows, sum(map(whole_words, further)))
    np.concatenate([piece.reals for piece in pieces], 1, joined.reals)
    np.concatenate([piece.integers for piece in pieces], 1, joined.integers)
    rest = Cuts(joined.memory, whole_words(joined.reals.nbytes + joined.integers.nbytes))
    for name, lists in parts.items():
        joined.ragged[name] = join_ids(lists, rest.cut)
    for name, dim in wide.items():
        joined.wide[name] = rest.cut(rows * dim, torch.float32).numpy().reshape(rows, dim)
        np.concatenate([piece.wide_of(name, dim) for piece in pieces], 0, joined.wide[name])
    for name, each in sequences.items():
        joined.sequences[name] = join_positions(each, rest.cut)
    return joined if missing is None else replace(joined, missing=missing)


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
