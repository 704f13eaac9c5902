"""Weights of losses by which a step harms none of them.

Lin et al., A Pareto-Efficient Algorithm for Multiple Objective Optimization in E-Commerce
Recommendation, 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from raymon.config import named_losses
from raymon.models import Model, RankingModel
from raymon.training.rank.worker_context import WorkerContext

_RIDGE = 1e-7


class ParetoWeights:
    """Weights of the losses of each step, from the gradients of the dense parameters.

    They are those of the gradients of the global batch, so they are equal on all ranks. Nothing
    waits for the device. Tables take no part: their gradients are rows, which an engine may apply
    as they are made.

    Args:
        model: The model.
        context: The world of this rank.
    """

    def __init__(self, model: Model, context: WorkerContext) -> None:
        self._parameters: Sequence[nn.Parameter] = model.dense_parameters()
        self._context = context
        self._minima: Mapping[str, float] = {}
        if isinstance(model, RankingModel):
            self._minima = {
                loss.name: loss.task.tower.pareto_min_loss_weight
                for loss in named_losses(model.tasks)
                if loss.task.tower is not None
            }

    def __call__(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Returns the weights of losses, float32 `[K]`, whose sum is 1.

        Args:
            losses: K losses of this rank, scaled alike; their graph stays.
        """
        rows = []
        for loss in losses.values():
            found = torch.autograd.grad(
                loss, self._parameters, retain_graph=True, allow_unused=True
            )
            pairs = zip(found, self._parameters, strict=True)
            parts = [torch.zeros_like(p) if g is None else g for g, p in pairs]
            rows.append(torch.cat([part.flatten() for part in parts]))
        gradients = self._context.sum_on_device(torch.stack(rows).float())
        minima = [torch.full((), self._minima.get(n, 0.0), device=gradients.device) for n in losses]
        return pareto_weights(gradients, torch.stack(minima))


def pareto_weights(gradients: Tensor, minima: Tensor) -> Tensor:
    """Returns weights w >= c with sum 1, for which the norm of the sum of w g is small.

    First the condition w >= c is left out: w + c is A^-1 e / (e^T A^-1 e), with A the products of
    gradients and e all ones (equation 6, of which the norm is the least), where w is what comes on
    top of c. Then w is replaced by the nearest point with w >= 0 and the same sum (equation 7).

    Args:
        gradients: Gradients of K losses, `[K, P]`.
        minima: Least weights c, `[K]`, with a sum below 1.

    Returns:
        The weights, float32 `[K]`.
    """
    unit = gradients / gradients.abs().amax().clamp_min(torch.finfo(gradients.dtype).tiny)
    products = (unit @ unit.T).double()
    count, c = products.shape[0], minima.double()
    ridge = _RIDGE * products.diagonal().mean().clamp_min(1e-30)
    ones = torch.ones(count, dtype=torch.float64, device=products.device)
    identity = torch.diag(ones)
    # Whoever checks whether it could be solved waits for the device.
    solved, _ = torch.linalg.solve_ex(products + ridge * identity, ones, check_errors=False)
    return (_nearest(solved / solved.sum() - c, 1 - c.sum()) + c).float()


def _nearest(point: Tensor, total: Tensor) -> Tensor:
    """Returns the nearest point without negative numbers whose sum is `total` (Duchi et al. 2008).

    Args:
        point: A point, `[K]`.
        total: The sum, a positive scalar.
    """
    ordered = point.sort(descending=True).values
    ranks = torch.arange(1, len(point) + 1, device=point.device)
    shifts = (ordered.cumsum(0) - total) / ranks
    last = (ordered > shifts).sum() - 1
    return (point - shifts.index_select(0, last.view(1))).clamp_min(0)
