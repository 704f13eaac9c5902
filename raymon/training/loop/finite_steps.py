"""Steps of the optimizer that are left out because they are not finite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from raymon.data import Batch
from raymon.models import Model
from raymon.protos.train_pb2 import OnNonfinite, TrainConfig
from raymon.training.loop.bad_module import first_bad_module
from raymon.training.optim.precision import autocast
from raymon.training.rank.worker_context import WorkerContext


@dataclass(frozen=True)
class BadLoss:
    """The first loss of a group of steps that is not finite.

    Attributes:
        index: Number of its step in the group, from 0.
        rank: Rank that it was on.
        name: Name of the loss.
        value: NaN or an infinity, as text.
    """

    index: int
    rank: int
    name: str
    value: str


class FiniteSteps:
    """Makes a step of the optimizer not finite on every rank if a loss of one rank is not.

    Its gradients are then found to be so by the loss scaler of each rank, after ranks have
    exchanged them, and no rank makes the step.

    Args:
        config: Says what becomes of such a step; with `WARN` nothing here does anything.
        model: The model, of which what a forward pass changes is put back too.
        context: The world of this rank.

    Attributes:
        is_on: Whether steps are left out.
        looks_for_module: Whether the first module whose output is not finite is still to be found.
    """

    def __init__(self, config: TrainConfig, model: Model, context: WorkerContext) -> None:
        self._config = config
        self._model = model
        self._context = context
        self.is_on = config.on_nonfinite != OnNonfinite.WARN
        self.looks_for_module = config.find_nonfinite
        buffers = model.dense_buffers() if self.is_on else ()
        self._buffers = [buffer for buffer in buffers if buffer.is_floating_point()]
        self._before: list[torch.Tensor] = []
        self._losses: list[Mapping[str, torch.Tensor]] = []
        self._batches: list[Batch] = []

    def begin(self, batch: Batch) -> None:
        """Begins a step of a group, before its forward pass."""
        if not self.is_on:
            return
        if not self._losses:
            self._before = [buffer.clone() for buffer in self._buffers]
        if self.looks_for_module:
            self._batches.append(batch)

    def guarded(self, total: torch.Tensor, losses: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Returns the loss that is trained; its gradients are NaN if one of `losses` is not finite.

        Without a synchronisation, and without a message to other ranks: gradients are exchanged
        anyway, and what is NaN on one rank is NaN on all of them.
        """
        if not self.is_on:
            return total
        self._losses.append({name: loss.detach() for name, loss in losses.items()})
        finite = torch.stack([loss.detach().double() for loss in losses.values()]).isfinite().all()
        return total * torch.where(finite, 1.0, torch.nan)

    def end(self, made: bool) -> None:
        """Ends a group of steps; if its step was not made, puts back what forwards changed."""
        if not made:
            for buffer, before in zip(self._buffers, self._before, strict=True):
                buffer.copy_(before)
        self._before = []

    def forget(self) -> None:
        """Forgets the losses of the group."""
        self._losses, self._batches = [], []

    def first_bad(self) -> BadLoss | None:
        """Returns the first loss of any rank that is not finite; None if all are.

        Waits for the device and for the other ranks: every rank calls it.
        """
        found = [bad for bad in self._context.gather(self._own_bad()) if bad is not None]
        return min(found, key=lambda bad: (bad.index, bad.rank), default=None)

    def find_module(self, bad: BadLoss | None) -> str | None:
        """Looks, once, for the first module whose output is not finite; every rank calls it.

        Returns:
            A text that names it, of the lowest rank that has one; None if it was not to be looked
            for, or there is none.
        """
        if not self.looks_for_module:
            return None
        self.looks_for_module = False
        batch = self._batches[0 if bad is None else bad.index]
        with autocast(self._config, self._context.device):
            found = self._context.gather(first_bad_module(self._model, batch))
        ranks = [(rank, name) for rank, name in enumerate(found) if name is not None]
        if not ranks:
            return "the outputs of all modules are finite"
        rank, name = ranks[0]
        return f"the first module whose output is not finite is {name}, on rank {rank}"

    def _own_bad(self) -> BadLoss | None:
        for index, losses in enumerate(self._losses):
            for name, loss in losses.items():
                value = float(loss)
                if value - value != 0:
                    return BadLoss(index, self._context.rank, name, str(value))
        return None
