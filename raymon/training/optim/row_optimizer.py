"""The optimizer of embedding tables, which only changes the rows that a step looked up."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

import torch
from torch import Tensor

from raymon.embeddings import DenseRowGradients, PartGradients, RowGradients, ShardedEngine

States = dict[str, list[Tensor]]
"""Lists by state name, with a tensor for each table: `[N, D]`, or `[N, 1]` for a number per row."""


class RowOptimizer(torch.optim.Optimizer):
    """Updates the rows that were looked up, and their optimizer state.

    Each subclass has a rule for rows, which works in place and does not depend on which rows of a
    table it is given.

    Args:
        tables: Gradients of the tables, and which rows were looked up.
        lr: Learning rate.
    """

    sharded: ShardedEngine | None = None
    """Engine whose tables take the steps of this optimizer too, by the formula of its name."""

    keeps_idle_rows = False
    """Whether the rule leaves rows with zero gradient unchanged, so that it may run on all rows."""

    def __init__(self, tables: Sequence[RowGradients], lr: float) -> None:
        self._tables = list(tables)
        self._masked: list[DenseRowGradients] = []
        self._by_rows: list[RowGradients] = []
        for table in tables:
            if isinstance(table, DenseRowGradients) and table.is_masked:
                self._masked.append(table)
            else:
                self._by_rows.append(table)
        # What the rule takes: states of joint tables, of which those in `state` are parts.
        self._states_of: dict[RowGradients, dict[str, Tensor]] = {}
        self._step = torch.zeros((), dtype=torch.float32)
        # A group needs parameters, also if every table is sharded.
        parameters = [part.owner for table in tables for part in table.parts]
        super().__init__(parameters or [torch.nn.Parameter(torch.zeros(()))], {"lr": lr})

    @abstractmethod
    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns the initial state of a table, or of the owner of its gradient."""

    def initial_value(self, name: str) -> float:
        """Returns the number that a state begins with, in all rows."""
        return 0.0

    @abstractmethod
    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows of tables in place, with the learning rate `self.rate`.

        Args:
            weights: Rows `[n, D]` of each table.
            gradients: Gradients of these rows, `[n, D]`; may be changed.
            states: States of these rows, `[n, D]` or `[n, 1]`; `step` is a scalar for each table,
                already incremented.
        """

    @property
    def rate(self) -> float:
        """Learning rate of this step."""
        return float(self.param_groups[0]["lr"])

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Updates the rows of all tables; does not call `closure`."""
        self.count_step()
        by_rows = self._by_rows
        if self.keeps_idle_rows:
            self._move_whole(self._masked)
        elif self._masked and not self._masked[0].gradient.is_cpu:
            self.move_masked(self._masked)
        else:
            by_rows = self._tables
        self._move_rows([table for table in by_rows if len(table.rows())])
        if self.sharded is not None:
            self._step_sharded(self.sharded)
        return None

    def _step_sharded(self, sharded: ShardedEngine) -> None:
        with torch.enable_grad():
            sharded.step(self.rate)

    def count_step(self) -> None:
        """Begins a step: increments the number of steps, even without looked-up rows."""
        for table in self._tables:
            table.settle()
            if table not in self._states_of:
                self._share(table, self.new_state(table.owner))
        self._step += 1

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Loads a state; a table that it does not have begins anew.

        The number of steps is that of the table with the most, for all of them.
        """
        of_index = dict(zip(_indices(state_dict), _parameters(self.param_groups), strict=False))
        saved = {of_index.get(index): own for index, own in state_dict["state"].items()}
        # Without the states: they would be on the device twice, here and in those of joint tables.
        super().load_state_dict({**state_dict, "state": {}})
        found = {part: saved.get(part.owner, {}) for table in self._tables for part in table.parts}
        steps = [float(states["step"]) for states in found.values() if "step" in states]
        self._step.fill_(max(steps, default=0.0))
        self._states_of.clear()
        for table in self._tables:
            if not any(found[part] for part in table.parts):
                continue
            loaded = {part: _without_step(found[part]) for part in table.parts}
            if tuple(table.parts) == (table,):
                like = table.owner
                self._share(table, {n: one.to(like) for n, one in loaded[table].items()})
                continue
            states = self.new_state(table.owner)
            for part, own in loaded.items():
                for name, value in own.items():
                    _part_of(states[name], part).copy_(value)
            self._share(table, states)

    def _share(self, table: RowGradients, states: dict[str, Tensor]) -> None:
        """Keeps the states of a table, and makes those of its parts views of them."""
        self._states_of[table] = states
        for part in table.parts:
            own = {name: _part_of(value, part) for name, value in states.items()}
            self.state[part.owner] = {"step": self._step, **own}

    def _move_whole(self, tables: Sequence[DenseRowGradients]) -> None:
        if tables:
            weights = [table.table.to(table.dtype) for table in tables]
            self.rule(weights, [t.gradient for t in tables], self._states(tables))
            for table, weight in zip(tables, weights, strict=True):
                if weight is not table.table:
                    table.table.copy_(weight)

    def _move_rows(self, tables: Sequence[RowGradients]) -> None:
        if not tables:
            return
        rows = [table.rows() for table in tables]
        parts = self._states(tables)
        steps = parts.pop("step")
        parts[""] = [table.table for table in tables]
        moved = {name: _rows_of(part, rows) for name, part in parts.items()}
        moved[""] = [w.to(table.dtype) for w, table in zip(moved[""], tables, strict=True)]
        gradients = [table.values() for table in tables]
        kept = {name: part for name, part in moved.items() if name}
        self.rule(moved[""], gradients, {"step": steps, **kept})
        for name, part in parts.items():
            for table, index, values in zip(part, rows, moved[name], strict=True):
                table.index_copy_(0, index, values.to(table.dtype))

    @torch.no_grad()
    def move_masked(self, tables: Sequence[DenseRowGradients]) -> None:
        """Updates rows if only the device knows which were looked up; waits for nothing."""
        for table in tables:
            assert table.touched is not None
            parts = {"": table.table, **self._states_of[table]}
            moved = {n: part.to(table.dtype, copy=True) for n, part in parts.items()}
            states = {name: [part] for name, part in moved.items() if name}
            states["step"] = [self._step]
            self.rule([moved[""]], [table.gradient.clone()], states)
            touched = table.touched.bool().unsqueeze(1)
            for name, part in parts.items():
                part.copy_(torch.where(touched, moved[name], part))

    def _states(self, tables: Sequence[RowGradients]) -> States:
        names = self._states_of[tables[0]]
        of_rows = {name: [self._states_of[table][name] for table in tables] for name in names}
        return {"step": [self._step] * len(tables), **of_rows}


def _indices(state_dict: dict[str, Any]) -> list[int]:
    return [index for group in state_dict["param_groups"] for index in group["params"]]


def _parameters(groups: Iterable[dict[str, Any]]) -> list[Tensor]:
    return [parameter for group in groups for parameter in group["params"]]


def _without_step(states: dict[str, Any]) -> dict[str, Tensor]:
    return {name: value for name, value in states.items() if name != "step"}


def _part_of(value: Tensor, part: RowGradients) -> Tensor:
    """Returns the rows of a part in a state of its joint table, in the same memory."""
    return value[part.first : part.end] if isinstance(part, PartGradients) else value


def _rows_of(parts: Sequence[Tensor], rows: Sequence[Tensor]) -> list[Tensor]:
    return [part.index_select(0, of) for part, of in zip(parts, rows, strict=True)]


def filled(table: Tensor, value: float = 0.0) -> Tensor:
    """Returns a tensor of the shape of a table, of one value everywhere."""
    # The owner of a gradient may be one number that is expanded; its state is a whole table.
    if value == 0:
        # Zeros take memory once they are written.
        return torch.zeros(table.shape, dtype=table.dtype, device=table.device)
    return torch.full_like(table, value, memory_format=torch.contiguous_format)
