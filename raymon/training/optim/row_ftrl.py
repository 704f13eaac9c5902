"""FTRL-Proximal for the rows of embedding tables."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.embeddings import RowGradients
from raymon.protos.optimizer_pb2 import SparseFTRLOptimizer
from raymon.training.optim.row_optimizer import RowOptimizer, States, filled


class RowFTRL(RowOptimizer):
    """Follow the regularized leader (McMahan et al. 2013, algorithm 1), number by number.

    `n' = n + g^2; z += g - (n'^-p - n^-p) / lr w; n = n'`, with `p` the learning_rate_power, and
    `w = 0` if `|z| <= l1`, else `w = (sign(z) l1 - z) / ((beta + n^-p) / lr + l2)`. A number that
    there is no gradient of yet stays as it is.
    """

    def __init__(self, tables: Sequence[RowGradients], config: SparseFTRLOptimizer) -> None:
        self._power, self._beta = -config.learning_rate_power, config.ftrl_beta
        self._l1, self._l2 = config.l1_reg, config.l2_reg
        self._initial = config.initial_accumulator_value
        super().__init__(tables, config.lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns `n` and `z`, `[N, D]` each."""
        return {"sum": filled(table, self._initial), "linear": filled(table)}

    def initial_value(self, name: str) -> float:
        """Returns the number that `n` begins with, or 0 for `z`."""
        return self._initial if name == "sum" else 0.0

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows by the formula of the class."""
        rate = self.rate
        if rate == 0:
            return
        of_tables = zip(weights, gradients, states["sum"], states["linear"], strict=True)
        for weight, gradient, total, linear in of_tables:
            before = total.pow(self._power)
            total.add_(gradient.square())
            root = total.pow(self._power)
            linear.add_(gradient).addcmul_(root - before, weight, value=-1 / rate)
            kept = linear.abs() > self._l1
            below = (self._beta + root) / rate + self._l2
            known = torch.where(total > 0, below, 1.0)
            moved = torch.where(kept, (linear.sign() * self._l1 - linear) / known, 0.0)
            weight.copy_(torch.where(total > 0, moved, weight))
