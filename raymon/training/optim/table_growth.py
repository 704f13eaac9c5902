"""Tables that grow, between the steps of the optimizers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from raymon.embeddings import EmbeddingTable, GrowingIds, ShardedTable, exchange
from raymon.training.optim.row_optimizer import RowOptimizer
from raymon.training.optim.table_gradients import Waiting


class TableGrowth:
    """Has the tables of a model admit and evict ids, the same on every rank.

    Args:
        tables: Tables that grow, on their device, each with the rows of its ids.
        optimizers: All optimizers of the model.
        world_size: Number of ranks.
        waiting: Makes a context within which the rank waits for others.
    """

    def __init__(
        self,
        tables: Sequence[tuple[GrowingIds, EmbeddingTable | ShardedTable]],
        optimizers: Sequence[torch.optim.Optimizer],
        world_size: int,
        waiting: Waiting = nullcontext,
    ) -> None:
        self._tables = list(tables)
        self._optimizers = list(optimizers)
        self._world_size = world_size
        self._waiting = waiting

    def step(self) -> None:
        """Ends an iteration, after the optimizers have made their step; every rank calls it.

        At the end of an interval the ranks exchange which ids they looked up, and wait for it. The
        rows of admitted ids, and their states in the optimizers, begin anew.
        """
        due = [pair for pair in self._tables if pair[0].end_iteration()]
        if not due:
            return
        pending = [ids.pending() for ids, _ in due]
        with self._waiting():
            accesses = exchange(pending, self._world_size)
        for (ids, table), found in zip(due, accesses, strict=True):
            rows = ids.end_interval(found)
            if len(rows):
                values = table.initial_rows(len(rows), ids.generator())
                reset_rows(table, rows, values, self._optimizers)


@torch.no_grad()
def reset_rows(
    table: EmbeddingTable | ShardedTable,
    rows: Tensor,
    values: Tensor,
    optimizers: Iterable[torch.optim.Optimizer],
) -> None:
    """Sets rows of a table to initial values, and their states in the optimizers too.

    Of a sharded table, each worker sets the part that it holds.

    Args:
        table: Table, on its device.
        rows: Indices of the rows, each once, int64 `[n]`, on the device.
        values: Initial values, `[n, dim]`.
        optimizers: Optimizers, one of which may train the table.
    """
    if isinstance(table, ShardedTable):
        _reset_shards(table, rows, values, optimizers)
        return
    weight = table.weight
    weight.index_copy_(0, rows, values.to(weight.device, weight.dtype))
    owner = weight if table.rows is None else table.rows.owner
    for optimizer in optimizers:
        for name, state in optimizer.state.get(owner, {}).items():
            if is_of_rows(state, weight):
                state.index_fill_(0, rows, initial_value(optimizer, name))


def _reset_shards(
    table: ShardedTable,
    rows: Tensor,
    values: Tensor,
    optimizers: Iterable[torch.optim.Optimizer],
) -> None:
    assert table.shards is not None, "an engine has placed it"
    table.shards.set_rows(rows, values)
    engines = (o.sharded for o in optimizers if isinstance(o, RowOptimizer))
    for engine in engines:
        paths = [] if engine is None else [p for p, s in engine.tables.items() if s is table.shards]
        for path in paths:
            assert engine is not None
            for state in engine.states.get(path, {}).values():
                state.set_rows(rows, torch.full((len(rows), state.shape[1]), engine.initial))


def is_of_rows(state: object, weight: nn.Parameter) -> bool:
    """Whether a state in an optimizer has something for each row of a table."""
    return isinstance(state, Tensor) and state.dim() > 0 and len(state) == len(weight)


def initial_value(optimizer: torch.optim.Optimizer, name: str) -> float:
    """Returns the number that a state of an optimizer begins with."""
    if isinstance(optimizer, RowOptimizer):
        return optimizer.initial_value(name)
    if isinstance(optimizer, torch.optim.Adagrad) and name == "sum":
        return float(optimizer.param_groups[0]["initial_accumulator_value"])
    return 0.0
