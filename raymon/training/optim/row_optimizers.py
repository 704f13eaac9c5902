"""Optimizers of embedding tables, which only change the rows that a step looked up.

The formulas are those of fbgemm's table batched embeddings (Khudia et al. 2021, arXiv:2101.05615),
which the names in a config refer to. Legend: `w` row, `g` its gradient, `t` steps of the optimizer,
`eps` 1e-8; `mean` is over the numbers of a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adagrad import adagrad
from torch.optim.adamw import adamw

from raymon.embeddings import RowGradients, ShardedEngine
from raymon.protos import optimizer_pb2 as pb
from raymon.training.optim.row_ftrl import RowFTRL
from raymon.training.optim.row_optimizer import RowOptimizer, States, filled
from raymon.training.optim.row_trust_ratios import PartialRowWiseLAMB, RowLAMB, RowLARS

_EPS = 1e-8


class RowSGD(RowOptimizer):
    """`w -= lr g`."""

    keeps_idle_rows = True

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns no state."""
        return {}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows by the formula of the class."""
        torch._foreach_add_(weights, gradients, alpha=-self.rate)


class RowAdagrad(RowOptimizer):
    """`sum += g^2; w -= lr g / (sqrt(sum) + eps)`."""

    keeps_idle_rows = True

    def __init__(self, tables: Sequence[RowGradients], lr: float, initial: float) -> None:
        self._initial = initial
        super().__init__(tables, lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns `sum`, `[N, D]`."""
        return {"sum": filled(table, self._initial)}

    def initial_value(self, name: str) -> float:
        """Returns the number that `sum` begins with."""
        return self._initial

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows by the formula of the class."""
        adagrad(
            weights, gradients, states["sum"], _previous_steps(states), lr=self.rate, eps=_EPS,
            weight_decay=0.0, lr_decay=0.0, maximize=False, **_kernel(weights),
        )  # fmt: skip


class RowWiseAdagrad(RowOptimizer):
    """`sum += mean(g'^2); w = c w - lr g / (sqrt(sum) + eps)`.

    Without a decay `g' = g` and `c = 1`; with L2 decay `g' = g + decay w` and `c = 1 - lr decay /
    (sqrt(sum) + eps)`; with decoupled decay `c = 1 - lr decay`.
    """

    def __init__(
        self, tables: Sequence[RowGradients], lr: float, weight_decay: float, mode: int
    ) -> None:
        self._decay, self._mode = weight_decay, mode
        self.keeps_idle_rows = mode == pb.NONE or weight_decay == 0
        super().__init__(tables, lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns `sum`, `[N, 1]`."""
        return {"sum": table.new_zeros(len(table), 1)}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows by the formula of the class."""
        for weight, gradient, total in zip(weights, gradients, states["sum"], strict=True):
            if self._mode == pb.L2:
                gradient = gradient.add(weight, alpha=self._decay)
            total.add_(gradient.square().mean(1, keepdim=True))
            if self._mode == pb.DECOUPLE:
                weight.mul_(1 - self.rate * self._decay)
            weight.addcdiv_(gradient, total.sqrt().add_(_EPS), value=-self.rate)


class RowAdam(RowOptimizer):
    """Adam with decoupled weight decay.

    `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2`, and with `m' = m / (1 - b1^t)` and `v' = v /
    (1 - b2^t)`, `w -= lr (m' / (sqrt(v') + eps) + decay w)`.
    """

    def __init__(
        self, tables: Sequence[RowGradients], lr: float, betas: tuple[float, float], decay: float
    ) -> None:
        self._betas, self._decay = betas, decay
        super().__init__(tables, lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns `m` and `v`, `[N, D]` each."""
        return {"exp_avg": filled(table), "exp_avg_sq": filled(table)}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows by the formula of the class."""
        adamw(
            weights, gradients, states["exp_avg"], states["exp_avg_sq"], [],
            _previous_steps(states), amsgrad=False, beta1=self._betas[0], beta2=self._betas[1],
            lr=self.rate, weight_decay=self._decay, eps=_EPS, maximize=False, **_kernel(weights),
        )  # fmt: skip


class PartialRowWiseAdam(RowAdam):
    """`RowAdam` with `v = b2 v + (1 - b2) mean(g^2)`, one number per row."""

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns `m`, `[N, D]`, and `v`, `[N, 1]`."""
        return {"exp_avg": filled(table), "exp_avg_sq": table.new_zeros(len(table), 1)}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows by the formula of the class."""
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


def _kernel(weights: Sequence[Tensor]) -> dict[str, Any]:
    # Unfused, torch passes over the memory once per operation on the CPU.
    on_cpu = weights[0].is_cpu
    return {"fused": on_cpu, "foreach": not on_cpu}


def build_row_optimizer(
    block: pb.SparseOptimizer,
    tables: Iterable[RowGradients],
    sharded: ShardedEngine | None = None,
) -> RowOptimizer:
    """Builds the optimizer of a config block.

    Args:
        block: The config block.
        tables: Gradients of the tables that this rank has whole.
        sharded: Engine of the other tables, which was made with the same block; None if there are
            none.
    """
    optimizer = _row_optimizer(block, list(tables))
    optimizer.sharded = sharded
    return optimizer


def _row_optimizer(block: pb.SparseOptimizer, of: list[RowGradients]) -> RowOptimizer:
    kind = block.WhichOneof("optimizer")
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
    if kind == "lamb_optimizer":
        lamb = block.lamb_optimizer
        return RowLAMB(of, lamb.lr, (lamb.beta1, lamb.beta2), lamb.weight_decay)
    if kind == "partial_rowwise_lamb_optimizer":
        by_row = block.partial_rowwise_lamb_optimizer
        betas = (by_row.beta1, by_row.beta2)
        return PartialRowWiseLAMB(of, by_row.lr, betas, by_row.weight_decay)
    if kind == "lars_sgd_optimizer":
        lars = block.lars_sgd_optimizer
        return RowLARS(of, lars.lr, lars.momentum, lars.weight_decay)
    if kind == "ftrl_optimizer":
        return RowFTRL(of, block.ftrl_optimizer)
    adam = block.adam_optimizer
    return RowAdam(of, adam.lr, (adam.beta1, adam.beta2), adam.weight_decay)


def max_gradient(block: pb.SparseOptimizer) -> float | None:
    """Returns the limit that gradients of looked-up embeddings are clamped to; None for none."""
    optimizer = getattr(block, str(block.WhichOneof("optimizer")))
    return float(optimizer.max_gradient) if optimizer.gradient_clipping else None


def _previous_steps(states: States) -> list[Tensor]:
    # The functions of torch increment the step themselves.
    return [step - 1 for step in states["step"]]
