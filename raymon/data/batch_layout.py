"""Where the tensors of a batch lie in one piece of memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import prod

import numpy as np
import torch
from torch import Tensor

from raymon.data.batch import Batch, Candidates, IdList, JoinedIds, Positions

_ALIGNMENT = 64
"""Bytes at a multiple of which each block begins: enough for any type, and a line of a cache."""

_OF_NUMPY = (torch.int64, torch.float32)
"""Types that numpy copies, because torch would take threads from the training."""

_PLAIN, _VALUES, _OFFSETS, _FACTORS = "plain ids", "values", "offsets", "factors"
_ROWS, _POSITIONS, _BAGS = "rows of sequences", "positions", "ids of positions"
_OF_BAGS, _NUMBERS = "weights of positions", "numbers of positions"
_KEYS, _LABELS, _WEIGHTS, _DENSE = "keys", "labels", "weights", "dense"

_HARD = "hard"

Place = tuple[str, str]
"""What a tensor is in a batch, and of which feature or column."""


@dataclass(frozen=True)
class _Block:
    """Tensors of one kind, type and shape, which lie one after the other as one matrix.

    Attributes:
        kind: What they are in a batch.
        names: Their features or columns.
        dtype: Their type.
        shape: Shape of each of them.
        begin: Byte at which the first one begins.
    """

    kind: str
    names: tuple[str, ...]
    dtype: torch.dtype
    shape: tuple[int, ...]
    begin: int

    @property
    def end(self) -> int:
        """The byte after the last one."""
        return self.begin + len(self.names) * prod(self.shape) * self.dtype.itemsize

    def matrix(self, buffer: Tensor) -> Tensor:
        """Returns them in a buffer `[bytes]`, as a view `[len(names), *shape]`."""
        return buffer[self.begin : self.end].view(self.dtype).view(len(self.names), *self.shape)


@dataclass(frozen=True)
class BatchLayout:
    """The places of all tensors of a batch in one buffer.

    First come the ids of the features that have exactly one id a row and no weights, as one matrix;
    then keys, other ids, and numbers; last the candidates, which have a layout of their own. So a
    batch is moved by one copy, whatever is in it.

    Attributes:
        size: Number of rows, B.
        nbytes: Bytes that the buffer needs.
        candidates: Byte at which the candidates begin, their layout, and the places of a row; None
            if there are none.
        longest: Positions of the longest row of each sequence feature.
    """

    size: int
    nbytes: int
    candidates: tuple[int, BatchLayout, int] | None
    longest: Mapping[str, int]
    _blocks: tuple[_Block, ...] = field(repr=False)
    _names: Mapping[str, tuple[str, ...]] = field(repr=False)

    @classmethod
    def of(cls, batch: Batch) -> BatchLayout:
        """Returns the layout for a batch of any features, columns and types of numbers."""
        tensors = [(*_type(tensor), place) for place, tensor in _tensors(batch)]
        blocks, end = [], 0
        for (kind, dtype, shape), members in groupby(tensors, lambda item: (item[2][0], *item[:2])):
            names = tuple(name for _, _, (_, name) in members)
            begin = -(-end // _ALIGNMENT) * _ALIGNMENT
            blocks.append(_Block(kind, names, dtype, shape, begin))
            end = blocks[-1].end
        order = {
            _VALUES: tuple(batch.sparse),
            **{kind: tuple(columns) for kind, columns in _columns(batch)},
        }
        # Memory of no bytes has no place that views could be made of.
        end, candidates = max(end, _ALIGNMENT), None
        if batch.candidates is not None:
            begin = -(-end // _ALIGNMENT) * _ALIGNMENT
            inner = cls.of(_as_batch(batch.candidates))
            end, candidates = begin + inner.nbytes, (begin, inner, batch.candidates.places)
        longest = {name: each.longest for name, each in batch.sequences.items()}
        return cls(batch.size, end, candidates, longest, tuple(blocks), order)

    def pack(self, batch: Batch, buffer: Tensor) -> None:
        """Copies a batch into a buffer on the CPU.

        Args:
            batch: Batch on the CPU, of which this is the layout.
            buffer: Memory, uint8 of at least `nbytes`, that begins where any type may.
        """
        tensors = dict(_tensors(batch))
        for block in self._blocks:
            matrix = block.matrix(buffer)
            for first, part in _in_a_row([tensors[block.kind, name] for name in block.names]):
                _copy(part, matrix[first : first + len(part)])
        if self.candidates is not None and batch.candidates is not None:
            begin, layout, _ = self.candidates
            layout.pack(_as_batch(batch.candidates), buffer[begin:])

    def views(self, buffer: Tensor) -> Batch:
        """Returns the batch that lies in a buffer, on any device, without a copy.

        Args:
            buffer: Memory as `pack` takes it.
        """
        found: dict[str, dict[str, Tensor]] = {}
        plain = None
        for block in self._blocks:
            matrix = block.matrix(buffer)
            if block.kind == _PLAIN:
                plain = JoinedIds(block.names, matrix)
                continue
            rows = zip(block.names, matrix.unbind(), strict=True)
            found.setdefault(block.kind, {}).update(rows)
        sparse = {} if plain is None else plain.by_name()
        offsets, factors = found.get(_OFFSETS, {}), found.get(_FACTORS, {})
        for name, values in found.get(_VALUES, {}).items():
            sparse[name] = IdList(values, offsets.get(name), factors.get(name))

        def columns(kind: str) -> dict[str, Tensor]:
            return {name: found[kind][name] for name in self._names[kind]}

        candidates = None
        if self.candidates is not None:
            begin, layout, places = self.candidates
            candidates = _as_candidates(layout.views(buffer[begin:]), places)
        return Batch(
            size=self.size,
            dense=columns(_DENSE),
            sparse={name: sparse[name] for name in self._names[_VALUES]},
            labels=columns(_LABELS),
            weights=columns(_WEIGHTS),
            keys=columns(_KEYS),
            plain_ids=plain,
            candidates=candidates,
            sequences={
                name: _sequence(name, longest, found) for name, longest in self.longest.items()
            },
        )


def _as_batch(candidates: Candidates) -> Batch:
    """Returns the items of candidates, with the places of the hard ones as keys."""
    hard = {} if candidates.hard is None else {_HARD: candidates.hard}
    return replace(candidates.items, keys=hard)


def _as_candidates(items: Batch, places: int) -> Candidates:
    return Candidates(replace(items, keys={}), items.keys.get(_HARD), places)


def _sequence(name: str, longest: int, found: Mapping[str, Mapping[str, Tensor]]) -> Positions:
    offsets = found[_ROWS][name]
    numbers = found.get(_NUMBERS, {}).get(name)
    if numbers is not None:
        return Positions(offsets, longest, numbers=numbers)
    inner, weights = (found.get(kind, {}).get(name) for kind in (_BAGS, _OF_BAGS))
    return Positions(offsets, longest, IdList(found[_POSITIONS][name], inner, weights))


def _columns(batch: Batch) -> Iterator[tuple[str, dict[str, Tensor]]]:
    yield _KEYS, batch.keys
    yield _LABELS, batch.labels
    yield _WEIGHTS, batch.weights
    yield _DENSE, batch.dense


def _tensors(batch: Batch) -> Iterator[tuple[Place, Tensor]]:
    """Yields the tensors of a batch in the order in which they lie: of 8 bytes, then of 4."""
    ragged = {}
    for name, ids in batch.sparse.items():
        if _is_plain(ids, batch.size):
            yield (_PLAIN, name), ids.values
        else:
            ragged[name] = ids
    (_, keys), *others = _columns(batch)
    yield from (((_KEYS, name), tensor) for name, tensor in keys.items())
    for name, ids in ragged.items():
        yield (_VALUES, name), ids.values
        if ids.offsets is not None:
            yield (_OFFSETS, name), ids.offsets
    # Kind by kind, so that those of features with the same positions are one block.
    of_sequences = {name: dict(_parts(each)) for name, each in batch.sequences.items()}
    for kind in (_ROWS, _POSITIONS, _BAGS, _NUMBERS, _OF_BAGS):
        if kind == _NUMBERS:
            yield from _of_numbers(others, ragged)
        parts = [(name, found[kind]) for name, found in of_sequences.items() if kind in found]
        yield from (((kind, name), tensor) for name, tensor in parts)


def _of_numbers(
    others: Sequence[tuple[str, dict[str, Tensor]]], ragged: Mapping[str, IdList]
) -> Iterator[tuple[Place, Tensor]]:
    for kind, columns in others:
        # Those of one shape next to each other, so that they are one block.
        widths = sorted(columns.items(), key=lambda item: item[1].shape[1:])
        yield from (((kind, name), tensor) for name, tensor in widths)
    for name, ids in ragged.items():
        if ids.weights is not None:
            yield (_FACTORS, name), ids.weights


def _parts(sequence: Positions) -> Iterator[tuple[str, Tensor]]:
    yield _ROWS, sequence.offsets
    if sequence.numbers is not None:
        yield _NUMBERS, sequence.numbers
    if sequence.ids is not None:
        ids = sequence.ids
        yield _POSITIONS, ids.values
        if ids.offsets is not None:
            yield _BAGS, ids.offsets
        if ids.weights is not None:
            yield _OF_BAGS, ids.weights


def _is_plain(ids: IdList, rows: int) -> bool:
    if ids.offsets is not None or ids.weights is not None:
        return False
    return ids.values.dtype == torch.int64 and ids.values.shape == (rows,)


def _type(tensor: Tensor) -> tuple[torch.dtype, tuple[int, ...]]:
    return tensor.dtype, tuple(tensor.shape)


def _in_a_row(tensors: Sequence[Tensor]) -> Iterator[tuple[int, Tensor]]:
    """Yields tensors of one type and shape as few matrices, of those that lie at equal distances.

    Returns:
        The index of the first tensor of a matrix, and the matrix, a view.
    """
    first = 0
    while first < len(tensors):
        end, step = _end_of_row(tensors, first)
        one = tensors[first]
        size, stride = (end - first, *one.shape), (step, *one.stride())
        yield first, one.as_strided(size, stride, one.storage_offset())
        first = end


def _end_of_row(tensors: Sequence[Tensor], first: int) -> tuple[int, int]:
    """Returns the index after the tensors at equal distances from `first` on, and the distance."""
    places = [int(tensor.storage_offset()) for tensor in tensors[first:]]
    step = max(places[1] - places[0], 0) if len(places) > 1 else 0
    one, end = tensors[first], first + 1
    storage, strides = one.untyped_storage().data_ptr(), one.stride()
    while (
        step
        and end < len(tensors)
        and places[end - first] - places[end - first - 1] == step
        and tensors[end].untyped_storage().data_ptr() == storage
        and tensors[end].stride() == strides
    ):
        end += 1
    return end, step


def _copy(source: Tensor, target: Tensor) -> None:
    if source.dtype in _OF_NUMPY:
        np.copyto(target.numpy(), source.numpy())
    else:
        target.copy_(source)
