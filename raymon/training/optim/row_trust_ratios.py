"""Optimizers of embedding tables whose steps are scaled by the length of the row.

Legend: `w` row, `g` its gradient, `|x|` the Euclidean length of a row, `t` steps of the optimizer,
`eps` 1e-8; `mean` is over the numbers of a row. Where one of two lengths is 0 their ratio is 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.embeddings import RowGradients
from raymon.training.optim.row_optimizer import RowOptimizer, States, filled

_EPS = 1e-8
_TRUST = 1e-3
"""Trust coefficient of LARS: the length of a step is this share of that of the row, times lr."""


class RowLAMB(RowOptimizer):
    """LAMB (You et al. 2020, arXiv:1904.00962, algorithm 2), each row a layer of its own.

    `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2`, and with `m' = m / (1 - b1^t)` and `v' = v /
    (1 - b2^t)`, `r = m' / (sqrt(v') + eps) + decay w; w -= lr |w| / |r| r`.
    """

    def __init__(
        self, tables: Sequence[RowGradients], lr: float, betas: tuple[float, float], decay: float
    ) -> None:
        self._betas, self._decay = betas, decay
        super().__init__(tables, lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns `m` and `v`, `[N, D]` each."""
        return {"exp_avg": filled(table), "exp_avg_sq": filled(table)}

    def squared(self, gradient: Tensor) -> Tensor:
        """Returns what `v` is the moving average of."""
        return gradient.square()

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows by the formula of the class."""
        beta1, beta2 = self._betas
        for number, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            first, second = states["exp_avg"][number], states["exp_avg_sq"][number]
            steps = states["step"][number].item()
            first.lerp_(gradient, 1 - beta1)
            second.lerp_(self.squared(gradient), 1 - beta2)
            root = second.div(1 - beta2**steps).sqrt_().add_(_EPS)
            step = first.div(1 - beta1**steps).div_(root).add_(weight, alpha=self._decay)
            weight.addcmul_(step, _ratio(_length(weight), _length(step)), value=-self.rate)


class PartialRowWiseLAMB(RowLAMB):
    """`RowLAMB` with `v = b2 v + (1 - b2) mean(g^2)`, one number per row."""

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns `m`, `[N, D]`, and `v`, `[N, 1]`."""
        return {"exp_avg": filled(table), "exp_avg_sq": table.new_zeros(len(table), 1)}

    def squared(self, gradient: Tensor) -> Tensor:
        """Returns what `v` is the moving average of."""
        return gradient.square().mean(1, keepdim=True)


class RowLARS(RowOptimizer):
    """LARS (You et al. 2017, arXiv:1708.03888, algorithm 1), each row a layer of its own.

    `b = momentum b + lr trust |w| / (|g| + decay |w|) (g + decay w); w -= b`, with trust 0.001.
    """

    def __init__(
        self, tables: Sequence[RowGradients], lr: float, momentum: float, decay: float
    ) -> None:
        self._momentum, self._decay = momentum, decay
        super().__init__(tables, lr)

    def new_state(self, table: Tensor) -> dict[str, Tensor]:
        """Returns `b`, `[N, D]`."""
        return {"momentum": filled(table)}

    def rule(self, weights: list[Tensor], gradients: list[Tensor], states: States) -> None:
        """Updates rows by the formula of the class."""
        for weight, gradient, kept in zip(weights, gradients, states["momentum"], strict=True):
            length = _length(weight)
            ratio = _ratio(_TRUST * length, _length(gradient) + self._decay * length)
            step = gradient.add(weight, alpha=self._decay).mul_(ratio)
            kept.mul_(self._momentum).add_(step, alpha=self.rate)
            weight.sub_(kept)


def _length(rows: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return length


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    known = (above > 0) & (below > 0)
    return torch.where(known, above / torch.where(known, below, 1.0), 1.0)
