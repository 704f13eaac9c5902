"""A batch: tensors for the model, and what losses and metrics need beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch


@dataclass
class IdList:
    """The ids of one feature for the rows of a batch.

    Attributes:
        values: int64 `[N]`, ids of all rows one after the other; `[B]` where every row has one.
        offsets: int64 `[B]`, where the ids of each row begin in `values`; None where every row
            has exactly one id. (What `torch.nn.functional.embedding_bag` takes.)
    """

    values: torch.Tensor
    offsets: torch.Tensor | None = None

    def slice(self, begin: int, end: int) -> IdList:
        """The ids of rows [begin, end), in the same memory."""
        if self.offsets is None:
            return IdList(self.values[begin:end])
        offsets = self.offsets[begin:end]
        if begin >= end:
            return IdList(self.values[:0], offsets)
        first = int(self.offsets[begin])
        last = int(self.offsets[end]) if end < len(self.offsets) else len(self.values)
        return IdList(self.values[first:last], offsets - first)

    def take(self, rows: torch.Tensor) -> IdList:
        """The ids of some rows: int64 `[R]`, their numbers."""
        if self.offsets is None:
            return IdList(self.values[rows])
        ends = torch.cat([self.offsets[1:], torch.tensor([len(self.values)])])
        firsts, lengths = self.offsets[rows], (ends - self.offsets)[rows]
        offsets = lengths.cumsum(0) - lengths
        # Of each id, where it is: behind the first of its row by as much as in the result.
        places = torch.repeat_interleave(firsts - offsets, lengths)
        return IdList(self.values[places + torch.arange(len(places))], offsets)

    def to(self, device: torch.device, non_blocking: bool = False) -> IdList:
        """The same ids on `device`."""
        offsets = self.offsets
        return IdList(
            self.values.to(device, non_blocking=non_blocking),
            None if offsets is None else offsets.to(device, non_blocking=non_blocking),
        )

    def pin_memory(self) -> IdList:
        """The same ids in page-locked memory."""
        offsets = self.offsets
        return IdList(self.values.pin_memory(), None if offsets is None else offsets.pin_memory())


@dataclass
class Batch:
    """The rows of one step of one rank.

    Attributes:
        size: B, the number of rows.
        dense: by feature name, float32 `[B, value_dim]`.
        sparse: by feature name, the ids whose embeddings are looked up.
        labels: by column, float32 `[B]`.
        weights: by column, float32 `[B]`, sample weights.
        keys: by column, int64 `[B]`, grouping keys; strings are hashed to 64 bits.
    """

    size: int
    dense: dict[str, torch.Tensor] = field(default_factory=dict)
    sparse: dict[str, IdList] = field(default_factory=dict)
    labels: dict[str, torch.Tensor] = field(default_factory=dict)
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    keys: dict[str, torch.Tensor] = field(default_factory=dict)

    def slice(self, begin: int, end: int) -> Batch:
        """Rows [begin, end), in the same memory."""
        return self._map(
            end - begin, lambda tensor: tensor[begin:end], lambda ids: ids.slice(begin, end)
        )

    def take(self, rows: torch.Tensor) -> Batch:
        """Some rows: int64 `[R]`, their numbers."""
        return self._map(len(rows), lambda tensor: tensor[rows], lambda ids: ids.take(rows))

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        tensors = [
            *(t for group in (self.dense, self.labels, self.weights, self.keys) for t in group.values()),
            *(t for ids in self.sparse.values() for t in (ids.values, ids.offsets) if t is not None),
        ]
        return sum(tensor.nbytes for tensor in tensors)

    def _map(
        self,
        size: int,
        tensor: Callable[[torch.Tensor], torch.Tensor],
        ids: Callable[[IdList], IdList],
    ) -> Batch:
        return Batch(
            size,
            {name: tensor(value) for name, value in self.dense.items()},
            {name: ids(value) for name, value in self.sparse.items()},
            {name: tensor(value) for name, value in self.labels.items()},
            {name: tensor(value) for name, value in self.weights.items()},
            {name: tensor(value) for name, value in self.keys.items()},
        )

    def to(self, device: torch.device, non_blocking: bool = False) -> Batch:
        """The same batch on `device`; keys move too, so that no metric has to copy."""

        def move(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {k: v.to(device, non_blocking=non_blocking) for k, v in tensors.items()}

        return Batch(
            size=self.size,
            dense=move(self.dense),
            sparse={k: v.to(device, non_blocking) for k, v in self.sparse.items()},
            labels=move(self.labels),
            weights=move(self.weights),
            keys=move(self.keys),
        )

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory."""

        def pin(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {k: v.pin_memory() for k, v in tensors.items()}

        return Batch(
            size=self.size,
            dense=pin(self.dense),
            sparse={k: v.pin_memory() for k, v in self.sparse.items()},
            labels=pin(self.labels),
            weights=pin(self.weights),
            keys=pin(self.keys),
        )


def join_batches(batches: Sequence[Batch]) -> Batch:
    """The rows of several batches with the same columns, in their order; at least one."""
    if len(batches) == 1:
        return batches[0]

    def join(group: Callable[[Batch], dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        return {name: torch.cat([group(b)[name] for b in batches]) for name in group(batches[0])}

    return Batch(
        size=sum(batch.size for batch in batches),
        dense=join(lambda b: b.dense),
        sparse={
            name: _join_ids([batch.sparse[name] for batch in batches]) for name in batches[0].sparse
        },
        labels=join(lambda b: b.labels),
        weights=join(lambda b: b.weights),
        keys=join(lambda b: b.keys),
    )


def _join_ids(parts: Sequence[IdList]) -> IdList:
    values = torch.cat([part.values for part in parts])
    if all(part.offsets is None for part in parts):
        return IdList(values)
    offsets, first = [], 0
    for part in parts:
        own = torch.arange(len(part.values)) if part.offsets is None else part.offsets
        offsets.append(own + first)
        first += len(part.values)
    return IdList(values, torch.cat(offsets))
