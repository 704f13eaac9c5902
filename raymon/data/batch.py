"""A batch: the tensors of a step for the model, its losses and its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch


@dataclass
class IdList:
    """The ids of one feature for the rows of a batch.

    Attributes:
        values: Ids of all rows, one row after the other, int64 `[N]`; `[B]` if every row has
            exactly one.
        offsets: Index in `values` at which the ids of each row begin, int64 `[B]`, as
            `torch.nn.functional.embedding_bag` takes it; None if every row has exactly one id.
        weights: Factor of the embedding of each id, float32 `[N]`; None if all are 1.
    """

    values: torch.Tensor
    offsets: torch.Tensor | None = None
    weights: torch.Tensor | None = None

    def slice(self, begin: int, end: int) -> IdList:
        """Returns the ids of rows [begin, end), in the same memory."""
        offsets = self.offsets
        if offsets is None:
            return self._part(begin, end, None)
        if begin >= end:
            return self._part(0, 0, offsets[begin:end])
        first = int(offsets[begin])
        last = int(offsets[end]) if end < len(offsets) else len(self.values)
        return self._part(first, last, offsets[begin:end] - first)

    def take(self, rows: npt.NDArray[np.integer]) -> IdList:
        """Returns the ids of some rows, on the CPU.

        Args:
            rows: Indices of the rows, integers `[R]`.
        """
        # numpy, because torch would take threads from the training.
        if self.offsets is None:
            return self._taken(rows, None)
        firsts = self.offsets.numpy()
        lengths = np.diff(firsts, append=len(self.values))[rows]
        offsets = lengths.cumsum() - lengths
        # The index of each id in `values`: the first of its row, plus the position in the row.
        places = np.repeat(firsts[rows] - offsets, lengths) + np.arange(lengths.sum())
        return self._taken(places, torch.from_numpy(offsets))

    def to(self, device: torch.device, non_blocking: bool = False) -> IdList:
        """Returns the same ids on `device`."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    @property
    def nbytes(self) -> int:
        """The size of all tensors in bytes."""
        tensors = (self.values, self.offsets, self.weights)
        return sum(tensor.nbytes for tensor in tensors if tensor is not None)

    def _part(self, first: int, last: int, offsets: torch.Tensor | None) -> IdList:
        weights = None if self.weights is None else self.weights[first:last]
        return IdList(self.values[first:last], offsets, weights)

    def _taken(self, places: npt.NDArray[np.integer], offsets: torch.Tensor | None) -> IdList:
        values = torch.from_numpy(self.values.numpy().take(places))
        if self.weights is None:
            return IdList(values, offsets)
        return IdList(values, offsets, torch.from_numpy(self.weights.numpy().take(places)))

    def _map(self, function: Callable[[torch.Tensor], torch.Tensor]) -> IdList:
        return IdList(
            function(self.values),
            None if self.offsets is None else function(self.offsets),
            None if self.weights is None else function(self.weights),
        )


@dataclass
class Positions:
    """The positions of one sequence feature for the rows of a batch.

    A row has any number of them, and there is no padding: P is their number in all rows. Either
    `ids` or `numbers` is given.

    Attributes:
        offsets: Index of the first position of each row, int64 `[B]`.
        longest: Positions of the row that has the most, known to the host.
        ids: Ids of the P positions, as if each were a row.
        numbers: Numbers of the positions, float32 `[P, value_dim]`.
    """

    offsets: torch.Tensor
    longest: int
    ids: IdList | None = None
    numbers: torch.Tensor | None = None

    @classmethod
    def none(cls, rows: int, dim: int) -> Positions:
        """Returns rows without positions.

        Args:
            rows: Number of rows.
            dim: Numbers of a position; 0 if positions have ids.
        """
        offsets = torch.zeros(rows, dtype=torch.int64)
        if dim:
            return cls(offsets, 0, numbers=torch.zeros(0, dim))
        return cls(offsets, 0, IdList(torch.zeros(0, dtype=torch.int64)))

    @property
    def count(self) -> int:
        """The number of positions of all rows, P."""
        if self.numbers is not None:
            return int(self.numbers.shape[0])
        assert self.ids is not None
        of_ids = self.ids.values if self.ids.offsets is None else self.ids.offsets
        return int(of_ids.shape[0])

    def lengths(self) -> npt.NDArray[np.int64]:
        """Returns the number of positions of each row, int64 `[B]`, on the CPU."""
        return np.diff(self.offsets.numpy(), append=self.count)

    def slice(self, begin: int, end: int) -> Positions:
        """Returns the positions of rows [begin, end), in the same memory, on the CPU."""
        offsets = self.offsets[begin:end]
        if begin >= end:
            return self._positions(offsets, 0, 0)
        first = int(self.offsets[begin])
        last = int(self.offsets[end]) if end < len(self.offsets) else self.count
        return self._positions(offsets - first, first, last)

    def take(self, rows: npt.NDArray[np.integer]) -> Positions:
        """Returns the positions of some rows, on the CPU.

        Args:
            rows: Indices of the rows, integers `[R]`.
        """
        lengths = self.lengths()[rows]
        offsets = lengths.cumsum() - lengths
        firsts = self.offsets.numpy()[rows]
        places = np.repeat(firsts - offsets, lengths) + np.arange(lengths.sum())
        longest = int(lengths.max(initial=0))
        new = torch.from_numpy(offsets)
        if self.numbers is not None:
            numbers = torch.from_numpy(self.numbers.numpy().take(places, 0))
            return Positions(new, longest, numbers=numbers)
        assert self.ids is not None
        return Positions(new, longest, self.ids.take(places))

    @property
    def nbytes(self) -> int:
        """The size of all tensors in bytes."""
        return sum(tensor.nbytes for tensor in self.tensors())

    def tensors(self) -> list[torch.Tensor]:
        """Returns all tensors."""
        inner = (self.ids.values, self.ids.offsets, self.ids.weights) if self.ids else ()
        found = (self.offsets, self.numbers, *inner)
        return [tensor for tensor in found if tensor is not None]

    def _positions(self, offsets: torch.Tensor, first: int, last: int) -> Positions:
        if self.numbers is not None:
            part = Positions(offsets, 0, numbers=self.numbers[first:last])
        else:
            assert self.ids is not None
            part = Positions(offsets, 0, self.ids.slice(first, last))
        return replace(part, longest=int(part.lengths().max(initial=0)))

    def _map(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Positions:
        return Positions(
            function(self.offsets),
            self.longest,
            None if self.ids is None else self.ids._map(function),
            None if self.numbers is None else function(self.numbers),
        )

    def _without_rows(self) -> Positions:
        none = None if self.numbers is None else self.numbers[:0]
        ids = None if self.ids is None else self.ids.slice(0, 0)
        return Positions(self.offsets[:0], 0, ids, none)


@dataclass(frozen=True)
class JoinedIds:
    """The ids of several features as one matrix, so that few operations serve all of them.

    Attributes:
        names: Names of the features; each has exactly one id a row, and no weights.
        values: Their ids, int64 `[F, B]`, in the order of the names. A row is contiguous; there may
            be other values between two rows.
        rows: Ids of each feature, int64 `[B]`, views of `values`.
    """

    names: tuple[str, ...]
    values: torch.Tensor
    rows: tuple[torch.Tensor, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.values.unbind()))

    def by_name(self) -> dict[str, IdList]:
        """Returns the ids of each feature, in the same memory."""
        return dict(zip(self.names, map(IdList, self.rows), strict=True))

    def are_in(self, sparse: Mapping[str, IdList]) -> bool:
        """Whether features still have these ids: a model may have put others into its batch.

        Args:
            sparse: Ids by feature.
        """
        for name, row in zip(self.names, self.rows, strict=True):
            ids = sparse.get(name)
            if ids is None or ids.values is not row or ids.offsets is not None:
                return False
            if ids.weights is not None:
                return False
        return True


@dataclass
class Candidates:
    """The items that the users of a batch choose among, drawn by a sampler.

    Attributes:
        items: Features of items: of the B rows of the batch, then negatives of all rows, then H
            hard negatives, each of one row.
        hard: Row of the batch of each hard negative, and its place among those of the row, int64
            `[2, H]`; None if the sampler draws none.
        places: Most hard negatives of a row of the batch.
    """

    items: Batch
    hard: torch.Tensor | None = None
    places: int = 0

    @property
    def nbytes(self) -> int:
        """The size of all tensors in bytes."""
        return self.items.nbytes + (0 if self.hard is None else self.hard.nbytes)

    def without_rows(self) -> Candidates:
        """Returns candidates of a batch that has no rows."""
        hard = None if self.hard is None else self.hard[:, :0]
        return Candidates(self.items.without_rows(), hard, self.places)

    def _map(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Candidates:
        hard = None if self.hard is None else function(self.hard)
        return Candidates(self.items._map(function), hard, self.places)


@dataclass
class Batch:
    """The rows of one step of one rank.

    Attributes:
        size: Number of rows, B.
        dense: Numbers by feature name, float32 `[B, value_dim]`.
        sparse: Ids by feature name, whose embeddings are looked up.
        labels: Labels by column, float32 `[B]`.
        weights: Sample weights by column, float32 `[B]`.
        keys: Grouping keys by column, int64 `[B]`; strings are hashed to 64 bits.
        plain_ids: Ids of the features that have exactly one id a row and no weights, in the same
            memory as those in `sparse`; None if they are not in one matrix.
        candidates: Items that the users of the rows choose among; None without a sampler.
        sequences: Positions by the name of the sequence feature.
    """

    size: int
    dense: dict[str, torch.Tensor] = field(default_factory=dict)
    sparse: dict[str, IdList] = field(default_factory=dict)
    labels: dict[str, torch.Tensor] = field(default_factory=dict)
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    keys: dict[str, torch.Tensor] = field(default_factory=dict)
    plain_ids: JoinedIds | None = None
    candidates: Candidates | None = None
    sequences: dict[str, Positions] = field(default_factory=dict)

    def looked_up(self) -> dict[str, IdList]:
        """Returns the ids by feature, of the rows or of the positions of sequences."""
        if not self.sequences:
            return self.sparse
        ids = {name: each.ids for name, each in self.sequences.items() if each.ids is not None}
        return {**self.sparse, **ids}

    @property
    def nbytes(self) -> int:
        """The size of all tensors in bytes."""
        groups = (self.dense, self.labels, self.weights, self.keys)
        tensors = [tensor for group in groups for tensor in group.values()]
        nbytes = 0 if self.candidates is None else self.candidates.nbytes
        nbytes += sum(t.nbytes for t in tensors) + sum(ids.nbytes for ids in self.sparse.values())
        return nbytes + sum(positions.nbytes for positions in self.sequences.values())

    def to(self, device: torch.device, non_blocking: bool = False) -> Batch:
        """Returns the same batch on `device`; keys move too, so that no metric has to copy them."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def without_rows(self) -> Batch:
        """Returns a batch of the same features and columns that has no rows."""

        def none(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {k: v[:0] for k, v in tensors.items()}

        plain = self.plain_ids
        if plain is not None:
            plain = replace(plain, values=plain.values[:, :0])
        joined = {} if plain is None else plain.by_name()
        return Batch(
            size=0,
            dense=none(self.dense),
            sparse={k: joined.get(k) or v.slice(0, 0) for k, v in self.sparse.items()},
            labels=none(self.labels),
            weights=none(self.weights),
            keys=none(self.keys),
            plain_ids=plain,
            candidates=None if self.candidates is None else self.candidates.without_rows(),
            sequences={name: each._without_rows() for name, each in self.sequences.items()},
        )

    def _map(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        def each(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {name: function(tensor) for name, tensor in tensors.items()}

        plain = self.plain_ids
        if plain is not None:
            plain = replace(plain, values=function(plain.values))
        joined = {} if plain is None else plain.by_name()
        return Batch(
            size=self.size,
            dense=each(self.dense),
            sparse={k: joined.get(k) or v._map(function) for k, v in self.sparse.items()},
            labels=each(self.labels),
            weights=each(self.weights),
            keys=each(self.keys),
            plain_ids=plain,
            candidates=None if self.candidates is None else self.candidates._map(function),
            sequences={name: v._map(function) for name, v in self.sequences.items()},
        )
