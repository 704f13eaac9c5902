"""Tables that grow and have another size in a checkpoint: which rows are kept, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from raymon.embeddings import IdCounts, Shard, TableShards
from raymon.models import Model
from raymon.storage import StoragePath
from raymon.training.checkpoint.train_state import (
    MODEL,
    OPTIMIZER,
    Stored,
    growing_ids,
    model_tensors,
)
from raymon.training.optim.optimizers import Optimizers
from raymon.training.optim.table_growth import initial_value

_BLOCK = 1 << 18
"""Rows that are read at a time."""

_OF_IDS = ("ids", "counts", "last", "iteration")


@dataclass(frozen=True)
class ResizedTable:
    """A table that grows and has another number of rows in a checkpoint.

    Attributes:
        ids: Path of the rows of its ids, in the model.
        weight: Name of its embeddings, in the model.
        sources: Names in the checkpoint of the tensors of both, by their names in the model.
        size: Number of rows in the model.
    """

    ids: str
    weight: str
    sources: Mapping[str, str]
    size: int


@dataclass(frozen=True)
class KeptRows:
    """The rows of a resized table that are kept.

    Attributes:
        old: Indices in the checkpoint, int64 `[n]`; the last one is the row of ids without one.
        new: Indices in the model, int64 `[n]`.
        size: Number of rows in the model.
    """

    old: Tensor
    new: Tensor
    size: int

    @torch.no_grad()
    def read(self, path: StoragePath, name: str, into: Stored) -> None:
        """Reads the rows that are kept of a tensor `[M, D]` of a checkpoint, in blocks.

        Args:
            path: Directory of the checkpoint.
            name: Name of the tensor there.
            into: Tensor of the model that they become rows of, `[N, D]`, or the part that this
                worker holds.
        """
        from raymon.training.checkpoint.tensor_files import read_tensors, tensor_shapes

        shape, dtype = tensor_shapes(path)[name]
        for start in range(0, shape[0], _BLOCK):
            chosen = ((self.old >= start) & (self.old < start + _BLOCK)).nonzero().squeeze(1)
            if len(chosen):
                block = torch.empty(min(_BLOCK, shape[0] - start), shape[1], dtype=dtype)
                read_tensors(path, {name: TableShards(shape, dtype, (Shard(start, 0, block),))})
                self._set(into, self.new[chosen], block[self.old[chosen] - start])

    def moved(self, saved: Tensor, into: Tensor) -> None:
        """Copies the rows of a saved tensor `[M, ...]` into those of another one, `[N, ...]`."""
        self._set(into, self.new, saved[self.old])

    def _set(self, into: Stored, rows: Tensor, values: Tensor) -> None:
        if isinstance(into, TableShards):
            into.set_rows(rows, values)
        else:
            into.index_copy_(0, rows.to(into.device), values.to(into.device, into.dtype))


def ids_of(weight: str) -> str:
    """Returns the name that the ids of rows would have, if embeddings are of a table that grows."""
    head, tables, rest = weight.rpartition(".tables.")
    return f"{head}.growing.{rest.removesuffix('.weight')}.ids" if tables else ""


def resized_tables(
    model: Model, saved: Mapping[str, torch.Size], names: Mapping[str, str] | None = None
) -> list[ResizedTable]:
    """Returns the tables of a model that grow and have another number of rows in a checkpoint.

    Args:
        model: The model.
        saved: Shapes of the parameters and buffers in the checkpoint, by name.
        names: Names in the checkpoint by those in the model, where they differ.
    """
    found = []
    own = {name: value.shape for name, value in model_tensors(model).items()}
    for path in growing_ids(model):
        head, _, key = path.rpartition(".growing.")
        weight = f"{head}.tables.{key}.weight"
        every = [weight, *(f"{path}.{name}" for name in _OF_IDS)]
        sources = {name: (names or {}).get(name, name) for name in every}
        shapes = [saved.get(source) for source in sources.values()]
        before, *of_ids = shapes
        if before is None or None in of_ids or before[0] == own[weight][0]:
            continue
        if before[1:] == own[weight][1:] and of_ids[0] == before[:1]:
            found.append(ResizedTable(path, weight, sources, own[weight][0]))
    return found


def load_resized(
    model: Model, path: StoragePath, tables: Iterable[ResizedTable]
) -> dict[str, KeptRows]:
    """Loads tables that have another number of rows in a checkpoint.

    Ids keep their rows as far as there are enough; the others are those with the lowest scores.

    Args:
        model: The model.
        path: Directory of the checkpoint.
        tables: The tables.

    Returns:
        The rows that were kept, by the name of the embeddings in the model.
    """
    from raymon.training.checkpoint.tensor_files import read_tensors, tensor_shapes

    kept: dict[str, KeptRows] = {}
    shapes, ids, own = tensor_shapes(path), growing_ids(model), model_tensors(model)
    for table in tables:
        names = [MODEL + table.sources[f"{table.ids}.{name}"] for name in _OF_IDS]
        saved = [torch.empty(shapes[name][0], dtype=shapes[name][1]) for name in names]
        read_tensors(path, dict(zip(names, saved, strict=True)))
        old = ids[table.ids].load_resized(IdCounts(*saved[:3]), int(saved[3]))
        new = torch.arange(len(old))
        new[-1] = table.size - 1
        rows = kept[table.weight] = KeptRows(old, new, table.size)
        rows.read(path, MODEL + table.sources[table.weight], own[table.weight])
    return kept


def table_of(name: str) -> str:
    """Returns the name of the embeddings whose state in an optimizer has a name in a checkpoint."""
    return name.removeprefix(OPTIMIZER).partition(".")[2].rpartition("/")[0]


def resized_state(
    optimizer: torch.optim.Optimizer, saved: Mapping[str, Any], rows: KeptRows
) -> dict[str, Any]:
    """Returns the state of a resized table in its optimizer, by name, as a copy.

    Args:
        optimizer: Optimizer of the table.
        saved: State of the table in the checkpoint, by name.
        rows: Rows that were kept.
    """
    state = {name: deepcopy(value) for name, value in saved.items()}
    for name, value in state.items():
        if isinstance(value, Tensor) and value.dim():
            first = initial_value(optimizer, name)
            state[name] = value.new_full((rows.size, *value.shape[1:]), first)
            rows.moved(value, state[name])
    return state


def resize_states(
    optimizers: Optimizers, states: Mapping[str, Tensor], kept: Mapping[str, KeptRows]
) -> dict[str, Tensor]:
    """Returns the states of optimizers with as many rows as the tables of the model.

    Args:
        optimizers: Optimizers of the model.
        states: Their saved states, by name in a checkpoint.
        kept: Rows that were kept, by the name of the embeddings.
    """
    resized = dict(states)
    for name, saved in states.items():
        number, _, rest = name.removeprefix(OPTIMIZER).partition(".")
        weight, _, state = rest.rpartition("/")
        if weight in kept:
            optimizer = optimizers.optimizers[int(number)]
            resized[name] = resized_state(optimizer, {state: saved}, kept[weight])[state]
    return resized
