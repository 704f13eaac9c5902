"""Optimizers of embedding tables, which move the rows that a step looked up and no other.

The formulas are those of fbgemm's table batched embeddings (Khudia et al. 2021, arXiv:2101.05615):
what a config of the field means by their names. Legend: `w` row, `g` its gradient, `t` steps of
the optimizer, `eps` 1e-8; `mean` is over the numbers of a row.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim.adagrad import adagrad
from torch.optim.adamw import adamw

from raymon.models import RowGradients
from raymon.protos import optimizer_pb2 as pb

_EPS = 1e-8

States = dict[str, list[Tensor]]
"""By name, what is kept of each table: `[N, D]`, or `[N, 1]` of each row."""


class RowOptimizer(torch.optim.Optimizer):
    """Moves the rows that were looked up, with what it keeps of them.

    A kind of optimizer has a rule for rows, which is in place and independent of which rows of a
    table there are.

    Args:
        tables: Their gradients, and which rows were looked up.
        lr: Learning rate.
    """

    idle_stay = False
    """Whether the rule leaves a row without a gradient as it is, so that it may see all of them."""

    def __init__(self, tables: Sequence[RowGradients], lr: float) -> None:
        self._tables = list(tables)
        super().__init__([table.table for table in tables], {"lr": lr})

    @abstractmethod
    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """What is kept of a table in the beginning."""

    @abstractmethod
    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Moves rows of tables in place, by the rate `self.rate`.

        Args:
            weights: Of each table, `[n, D]`.
            gradients: As `weights`; may be changed.
            states: As `weights`, or `[n, 1]`; `step` is scalars, which are counted already.
        """

    @property
    def rate(self) -> float:
        """The learning rate of this step."""
        return float(self.param_groups[0]["lr"])

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Moves the rows of all tables; closures are not called."""
        self.count_step()
        small = [table for table in self._tables if table.touched is not None]
        large = [table for table in self._tables if table.touched is None]
        if self.idle_stay:
            self._move_whole(small)
        elif small and small[0].gradient.is_cuda:
            self.move_masked(small)
        else:
            large = self._tables
        self._move_rows([table for table in large if len(table.rows())])
        return None

    def count_step(self) -> None:
        """Begins a step: all tables count it, those too of which no row was looked up."""
        for table in self._tables:
            table.settle()
            state = self.state[table.table]
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32)
                state |= self.new_state(table.table)
            state["step"] += 1

    def _move_whole(self, tables: Sequence[RowGradients]) -> None:
        if tables:
            weights = [table.table for table in tables]
            self.rule(list(weights), [t.gradient for t in tables], self._states(tables))

    def _move_rows(self, tables: Sequence[RowGradients]) -> None:
        if not tables:
            return
        rows = [table.rows() for table in tables]
        parts = self._states(tables)
        steps = parts.pop("step")
        parts[""] = [table.table for table in tables]
        moved = {name: _rows_of(part, rows) for name, part in parts.items()}
        gradients = _rows_of([table.gradient for table in tables], rows)
        kept = {name: part for name, part in moved.items() if name}
        self.rule(moved[""], gradients, {"step": steps, **kept})
        for name, part in parts.items():
            for whole, of, now in zip(part, rows, moved[name], strict=True):
                whole.index_copy_(0, of, now)

    @torch.no_grad()
    def move_masked(self, tables: Sequence[RowGradients]) -> None:
        """Moves rows where which ones there are is known to the device alone: nothing waits."""
        for table in tables:
            assert table.touched is not None
            parts = {"": table.table, **self._rowwise(table)}
            moved = {name: part.clone() for name, part in parts.items()}
            states = {name: [part] for name, part in moved.items() if name}
            states["step"] = [self.state[table.table]["step"]]
            self.rule([moved[""]], [table.gradient.clone()], states)
            touched = table.touched.bool().unsqueeze(1)
            for name, part in parts.items():
                part.copy_(torch.where(touched, moved[name], part))

    def _rowwise(self, table: RowGradients) -> dict[str, Tensor]:
        return {n: part for n, part in self.state[table.table].items() if n != "step"}

    def _states(self, tables: Sequence[RowGradients]) -> States:
        names = self.state[tables[0].table]
        return {name: [self.state[table.table][name] for table in tables] for name in names}


class RowSGD(RowOptimizer):
    """`w -= lr g`."""

    idle_stay = True

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        return {}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        torch._foreach_add_(weights, gradients, alpha=-self.rate)


class RowAdagrad(RowOptimizer):
    """`sum += g^2; w -= lr g / (sqrt(sum) + eps)`."""

    idle_stay = True

    def __init__(self, tables: Sequence[RowGradients], lr: float, initial: float) -> None:
        self._initial = initial
        super().__init__(tables, lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        return {"sum": torch.full_like(table, self._initial)}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        adagrad(
            weights, gradients, states["sum"], _before(states), lr=self.rate, eps=_EPS,
            weight_decay=0.0, lr_decay=0.0, maximize=False, **_how(weights),
        )  # fmt: skip


class RowWiseAdagrad(RowOptimizer):
    """`sum += mean(g'^2); w = c w - lr g / (sqrt(sum) + eps)`.

    Without a decay `g' = g` and `c = 1`; with that of L2 `g' = g + decay w` and
    `c = 1 - lr decay / (sqrt(sum) + eps)`; with the decoupled one `c = 1 - lr decay`.
    """

    def __init__(
        self, tables: Sequence[RowGradients], lr: float, weight_decay: float, mode: int
    ) -> None:
        self._decay, self._mode = weight_decay, mode
        self.idle_stay = mode == pb.NONE or weight_decay == 0
        super().__init__(tables, lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        return {"sum": table.new_zeros(len(table), 1)}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        for weight, gradient, total in zip(weights, gradients, states["sum"], strict=True):
            if self._mode == pb.L2:
                gradient = gradient.add(weight, alpha=self._decay)
            total.add_(gradient.square().mean(1, keepdim=True))
            if self._mode == pb.DECOUPLE:
                weight.mul_(1 - self.rate * self._decay)
            weight.addcdiv_(gradient, total.sqrt().add_(_EPS), value=-self.rate)


class RowAdam(RowOptimizer):
    """`m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2`, and with `m' = m / (1 - b1^t)` and
    `v' = v / (1 - b2^t)`, `w -= lr (m' / (sqrt(v') + eps) + decay w)`.
    """

    def __init__(
        self, tables: Sequence[RowGradients], lr: float, betas: tuple[float, float], decay: float
    ) -> None:
        self._betas, self._decay = betas, decay
        super().__init__(tables, lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        return {"exp_avg": torch.zeros_like(table), "exp_avg_sq": torch.zeros_like(table)}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        adamw(
            weights, gradients, states["exp_avg"], states["exp_avg_sq"], [],
            _before(states), amsgrad=False, beta1=self._betas[0], beta2=self._betas[1],
            lr=self.rate, weight_decay=self._decay, eps=_EPS, maximize=False, **_how(weights),
        )  # fmt: skip


class PartialRowWiseAdam(RowAdam):
    """As `RowAdam`, with `v = b2 v + (1 - b2) mean(g^2)`, a number a row."""

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        return {"exp_avg": torch.zeros_like(table), "exp_avg_sq": table.new_zeros(len(table), 1)}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        (beta1, beta2), rate = self._betas, self.rate
        parts = zip(weights, gradients, *states.values(), strict=True)
        for number, (weight, gradient, *_) in enumerate(parts):
            first, second = states["exp_avg"][number], states["exp_avg_sq"][number]
            steps = states["step"][number].item()
            first.lerp_(gradient, 1 - beta1)
            second.lerp_(gradient.square().mean(1, keepdim=True), 1 - beta2)
            root = second.div(1 - beta2**steps).sqrt_().add_(_EPS)
            weight.mul_(1 - rate * self._decay)
            weight.addcdiv_(first, root, value=-rate / (1 - beta1**steps))


def _rows_of(parts: Sequence[Tensor], rows: Sequence[Tensor]) -> list[Tensor]:
    return [part.index_select(0, of) for part, of in zip(parts, rows, strict=True)]


def _before(states: States) -> list[Tensor]:
    # Functions of torch count the step themselves.
    return [step - 1 for step in states["step"]]


def _how(weights: Sequence[Tensor]) -> dict[str, Any]:
    # By itself torch goes over the memory once for each operation on the CPU.
    on_cpu = weights[0].is_cpu
    return {"fused": on_cpu, "foreach": not on_cpu}


def build_row_optimizer(block: pb.SparseOptimizer, tables: Iterable[RowGradients]) -> RowOptimizer:
    """The optimizer of a block."""
    kind, of = block.WhichOneof("optimizer"), list(tables)
    if kind == "sgd_optimizer":
        return RowSGD(of, block.sgd_optimizer.lr)
    if kind == "adagrad_optimizer":
        one = block.adagrad_optimizer
        return RowAdagrad(of, one.lr, one.initial_accumulator_value)
    if kind == "rowwise_adagrad_optimizer":
        rowwise = block.rowwise_adagrad_optimizer
        return RowWiseAdagrad(of, rowwise.lr, rowwise.weight_decay, rowwise.weight_decay_mode)
    if kind == "partial_rowwise_adam_optimizer":
        partial = block.partial_rowwise_adam_optimizer
        betas = (partial.beta1, partial.beta2)
        return PartialRowWiseAdam(of, partial.lr, betas, partial.weight_decay)
    adam = block.adam_optimizer
    return RowAdam(of, adam.lr, (adam.beta1, adam.beta2), adam.weight_decay)


def max_gradient(block: pb.SparseOptimizer) -> float | None:
    """To what the gradients of looked up embeddings are clamped; None: to nothing."""
    optimizer = getattr(block, str(block.WhichOneof("optimizer")))
    return float(optimizer.max_gradient) if optimizer.gradient_clipping else None
